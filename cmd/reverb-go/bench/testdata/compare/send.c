// What the kernel alone takes for a delivery: a loop of send() with a frame that is ready, to 1,000 connections
// on loopback, 20 times a second. A child reads what arrives.
//
//   cc -O2 -o send send.c && ./send [SECONDS]
//
// It prints the processor time of the sending process per delivery.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 1000, RATE = 20, FRAME = 301 }; // 301 bytes are an event with a payload of 200

static int check(int result, const char *what) {
  if (result < 0) {
    perror(what);
    exit(1);
  }
  return result;
}

// listen_to connects to the sender and reads until it closes.
static void listen_to(struct sockaddr_in addr) {
  static char buf[65536];
  int ep = check(epoll_create1(0), "epoll_create1"), left = CONNECTIONS;
  for (int i = 0; i < CONNECTIONS; i++) {
    int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
    check(connect(fd, (struct sockaddr *)&addr, sizeof addr), "connect");
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    check(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), "epoll_ctl");
  }
  while (left > 0) {
    struct epoll_event ready[256];
    int n = epoll_wait(ep, ready, 256, -1);
    for (int i = 0; i < n; i++)
      if (read(ready[i].data.fd, buf, sizeof buf) <= 0) {
        close(ready[i].data.fd);
        left--;
      }
  }
}

static double processor_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  int seconds = argc > 1 ? atoi(argv[1]) : 5, on = 1;
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof addr;
  int ln = check(socket(AF_INET, SOCK_STREAM, 0), "socket"), fds[CONNECTIONS];
  check(bind(ln, (struct sockaddr *)&addr, size), "bind");
  check(listen(ln, CONNECTIONS), "listen");
  getsockname(ln, (struct sockaddr *)&addr, &size);
  if (check(fork(), "fork") == 0) {
    listen_to(addr);
    return 0;
  }
  for (int i = 0; i < CONNECTIONS; i++) {
    fds[i] = check(accept(ln, NULL, NULL), "accept");
    setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  char frame[FRAME];
  memset(frame, 'x', sizeof frame);
  double before = processor_seconds();
  for (int round = 0; round < seconds * RATE; round++) {
    for (int i = 0; i < CONNECTIONS; i++)
      check(send(fds[i], frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL), "send");
    nanosleep(&(struct timespec){.tv_nsec = 1000000000 / RATE}, NULL);
  }
  printf("%.2f microseconds of processor time per delivery\n", (processor_seconds() - before) * 1e6 / seconds / RATE / CONNECTIONS);
  return 0;
}
