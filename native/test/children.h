// Child processes and sockets for tests. A child says "ready" through a pipe and lives until its Child goes.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "../src/batch.h"
#include "../src/proc_files.h"
#include "harness.h"

namespace procflow::test {

class Child {
 public:
  // Runs `body` in a child, which waits for the end afterwards. Returns when the body has run.
  explicit Child(const std::function<void()>& body) {
    int ready[2], commands[2];
    REQUIRE(pipe(ready) == 0 && pipe(commands) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(ready[0]);
      close(commands[1]);
      body();
      (void)!write(ready[1], "r", 1);
      close(ready[1]);
      char byte;
      while (read(commands[0], &byte, 1) > 0) {
      }
      _exit(0);
    }
    close(ready[1]);
    close(commands[0]);
    commands_ = OwnedFd(commands[1]);
    char byte;
    (void)!read(ready[0], &byte, 1);
    close(ready[0]);
  }
  // Runs a program: returns when it has started.
  Child(const std::string& path, std::vector<std::string> arguments, uid_t uid = 0) {
    int started[2];
    REQUIRE(pipe2(started, O_CLOEXEC) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (uid != 0 && (setgid(uid) != 0 || setuid(uid) != 0)) _exit(126);
      std::vector<char*> argv;
      for (auto& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv(path.c_str(), argv.data());
      _exit(127);
    }
    close(started[1]);
    char byte;
    (void)!read(started[0], &byte, 1);
    close(started[0]);
    // The descriptor closes a moment before the kernel has put the arguments in their place.
    const std::string cmdline = "/proc/" + std::to_string(pid_) + "/cmdline";
    for (int i = 0; i < 1000 && read_at(AT_FDCWD, cmdline.c_str(), &byte, 1) == 0; i++) usleep(1000);
  }
  Child(const Child&) = delete;
  ~Child() { end(); }
  pid_t pid() const { return pid_; }
  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  OwnedFd commands_;
};

inline bool enter_new_netns() { return unshare(CLONE_NEWNET) == 0; }

// Brings the loopback device of this process's namespace up.
inline void loopback_up() {
  const OwnedFd control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  (void)ioctl(control.get(), SIOCSIFFLAGS, &request);
}

inline std::uint64_t netns_inode(pid_t pid) {
  struct stat info {};
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/net";
  return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

// How often the kernel had no room for TIME_WAIT, which then does not take place.
inline unsigned long long time_wait_overflows() {
  std::vector<char> text(65536);
  const ssize_t length = read_at(AT_FDCWD, "/proc/net/netstat", text.data(), text.size());
  std::istringstream names(std::string(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0));
  std::string heading, values, name, value;
  std::getline(names, heading);
  std::getline(names, values);
  std::istringstream each_name(heading), each_value(values);
  while (each_name >> name && each_value >> value)
    if (name == "TCPTimeWaitOverflow") return std::stoull(value);
  return 0;
}

inline std::uint64_t socket_inode(int fd) {
  struct stat info {};
  return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

inline Address ipv4(const char* text) {
  Address address{};
  address[10] = address[11] = 0xff;
  inet_pton(AF_INET, text, address.data() + 12);
  return address;
}

inline Address ipv6(const char* text) {
  Address address{};
  inet_pton(AF_INET6, text, address.data());
  return address;
}

// A TCP connection over loopback: listener, client, server.
struct Connection {
  OwnedFd listener, client, server;
  std::uint16_t port = 0;
};

inline OwnedFd listen_on(int family, std::uint16_t& port) {
  OwnedFd listener(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(listener);
  if (family == AF_INET) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    socklen_t size = sizeof address;
    REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin6_port);
  }
  REQUIRE(listen(listener.get(), 128) == 0);
  return listener;
}

inline OwnedFd connect_to(std::uint16_t port) {
  OwnedFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  REQUIRE(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return client;
}

// `family` is the listener's: an IPv6 one takes IPv4 clients by mapped addresses.
inline Connection connected(int family = AF_INET) {
  Connection connection;
  connection.listener = listen_on(family, connection.port);
  connection.client = connect_to(connection.port);
  connection.server = OwnedFd(accept4(connection.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(connection.server);
  return connection;
}

inline void send_all(int fd, std::size_t bytes) {
  const std::vector<char> data(65536, 'x');
  while (bytes > 0) {
    const ssize_t sent = send(fd, data.data(), std::min(bytes, data.size()), MSG_NOSIGNAL);
    REQUIRE(sent > 0);
    bytes -= static_cast<std::size_t>(sent);
  }
}

inline void receive_all(int fd, std::size_t bytes) {
  std::vector<char> data(65536);
  while (bytes > 0) {
    const ssize_t got = recv(fd, data.data(), std::min(bytes, data.size()), 0);
    REQUIRE(got > 0);
    bytes -= static_cast<std::size_t>(got);
  }
}

}  // namespace procflow::test
