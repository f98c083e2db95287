/* storm_child PORT BYTES NAME: connects to the port of loopback, sends, exits. Static, so that it lives as short as can be. */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char content[4096];
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	uint32_t bytes;
	int fd;

	if (argc != 4)
		return 2;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	bytes = (uint32_t)atoi(argv[2]);
	((uint32_t *)content)[0] = (uint32_t)getpid();
	((uint32_t *)content)[1] = bytes;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return 3;
	return write(fd, content, bytes) == (ssize_t)bytes ? 0 : 4;
}
