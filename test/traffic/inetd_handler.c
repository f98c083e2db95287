/* Serves the connection that is its standard input and output. */
#include "exchange.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	shared_attach();
	while (serve(tally_at((uint32_t)strtoul(argv[1], NULL, 10)), 0))
		;
	return 0;
}
