/* A client whose name and arguments mean nothing to itself. */
#include "exchange.h"

#include <stdlib.h>

int main(void)
{
	const char *port = getenv("TRAFFIC_PORT");
	struct clients clients = {.connections = 1};

	if (!port)
		return 2;
	clients.port = (uint16_t)atoi(port);
	round_adopt();
	make_requests(&clients);
	return 0;
}
