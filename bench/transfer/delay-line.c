/* A line with a delay between two network devices of this machine. The kernel's own TCP runs over it, so handshakes, slow
 * start and kept congestion windows are real; only the distance is made here. It never drops a packet and has no limit of
 * bandwidth: a line on which nothing but round trips costs time.
 *
 *   delay-line NAME_A NAME_B MICROSECONDS_ONE_WAY
 *
 * Makes two TUN devices and carries packets between them until it is ended; prints "ready" when the devices exist. Packets
 * travel with their virtio header, so that the kernel's large segments (TSO) cross in one piece, as cheap as on loopback. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 65536 + 64 };

struct packet {
  struct packet *next;
  uint64_t due;
  size_t length;
  unsigned char bytes[];
};

struct way {
  int from, to;
  uint64_t delay;
};

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int device(const char *name) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (fd < 0) {
    perror("/dev/net/tun");
    exit(1);
  }
  struct ifreq request = {0};
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) {
    perror(name);
    exit(1);
  }
  return fd;
}

/* One direction: read what comes, hold it for its time, write it. */
static void *carry(void *argument) {
  struct way *way = argument;
  struct packet *first = NULL, *last = NULL;
  static __thread unsigned char buffer[LARGEST];
  for (;;) {
    struct pollfd wait = {.fd = way->from, .events = POLLIN};
    struct timespec rest, *until = NULL;
    if (first) {
      uint64_t at = now();
      uint64_t left = first->due > at ? first->due - at : 0;
      rest = (struct timespec){.tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u)};
      until = &rest;
    }
    if (ppoll(&wait, 1, until, NULL) < 0 && errno != EINTR) return NULL;
    for (int count = 0; count < 64; count += 1) {
      ssize_t length = read(way->from, buffer, sizeof buffer);
      if (length <= 0) break;
      struct packet *packet = malloc(sizeof *packet + (size_t)length);
      if (!packet) abort();
      packet->next = NULL;
      packet->due = now() + way->delay;
      packet->length = (size_t)length;
      memcpy(packet->bytes, buffer, (size_t)length);
      if (last) last->next = packet;
      else first = packet;
      last = packet;
    }
    while (first && first->due <= now()) {
      struct packet *packet = first;
      if (write(way->to, packet->bytes, packet->length) < 0 && errno == EAGAIN) break;
      first = packet->next;
      if (!first) last = NULL;
      free(packet);
    }
  }
}

int main(int count, char **words) {
  if (count != 4) {
    fprintf(stderr, "usage: delay-line NAME_A NAME_B MICROSECONDS_ONE_WAY\n");
    return 2;
  }
  int a = device(words[1]), b = device(words[2]);
  uint64_t delay = strtoull(words[3], NULL, 10) * 1000u;
  struct way there = {a, b, delay}, back = {b, a, delay};
  /* Without this a busy machine would make the line longer than it is said to be. */
  struct sched_param priority = {.sched_priority = 10};
  if (sched_setscheduler(0, SCHED_RR, &priority) < 0) perror("real-time priority");
  pthread_t one, other;
  if (pthread_create(&one, NULL, carry, &there) || pthread_create(&other, NULL, carry, &back)) return 1;
  puts("ready");
  fflush(stdout);
  pthread_join(one, NULL);
  return 0;
}
