// Groups in which every sender sends to every receiver, as hackbench has them: over pipes, then over pairs of sockets. Each
// message says who sent it and how often that one has; the receiver checks that it has all of them, in order.

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { kGroups = 2, kEach = 5, kMessages = 20, kMessageSize = 100 };

typedef struct {
  uint32_t group, sender, number;
  char filling[kMessageSize - 12];
} Message;

static void Connect(int ends[2], int sockets) {
  if (sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends)) Fail(sockets ? "socketpair" : "pipe");
}

static void Receive(int group, int from) {
  uint32_t next[kEach] = {0};
  for (int i = 0; i < kEach * kMessages; ++i) {
    Message message;
    ReadAll(from, &message, sizeof(message));
    errno = 0;
    if (message.group != (uint32_t)group || message.sender >= kEach || message.number != next[message.sender]++) {
      Fail("group %d got message %u of sender %u of group %u", group, message.number, message.sender, message.group);
    }
    for (size_t at = 0; at < sizeof(message.filling); ++at) {
      if (message.filling[at] != (char)(message.number + at)) Fail("a message has changed on its way");
    }
  }
}

static void Send(int group, int sender, int (*ends)[2]) {
  for (uint32_t number = 0; number < kMessages; ++number) {
    Message message = {.group = (uint32_t)group, .sender = (uint32_t)sender, .number = number};
    for (size_t at = 0; at < sizeof(message.filling); ++at) message.filling[at] = (char)(number + at);
    for (int receiver = 0; receiver < kEach; ++receiver) WriteAll(ends[receiver][1], &message, sizeof(message));
  }
}

// Everybody says that they are there, and waits for all others.
static void Begin(int ready, int go) {
  char byte = 0;
  WriteAll(ready, &byte, 1);
  ReadAll(go, &byte, 1);
}

static int StartGroup(int group, int sockets, int ready, int go) {
  int ends[kEach][2];
  for (int i = 0; i < kEach; ++i) Connect(ends[i], sockets);
  for (int i = 0; i < 2 * kEach; ++i) {
    if (Fork() != 0) continue;
    Begin(ready, go);
    if (i < kEach) {
      Receive(group, ends[i][0]);
    } else {
      Send(group, i - kEach, ends);
    }
    _exit(0);
  }
  for (int i = 0; i < kEach; ++i) {
    close(ends[i][0]);
    close(ends[i][1]);
  }
  return 2 * kEach;
}

static void Exchange(int sockets) {
  int ready[2], go[2], processes = 0;
  char bytes[2 * kEach * kGroups] = {0};
  if (pipe(ready) != 0 || pipe(go) != 0) Fail("pipe");
  for (int group = 0; group < kGroups; ++group) processes += StartGroup(group, sockets, ready[1], go[0]);
  ReadAll(ready[0], bytes, (size_t)processes);
  WriteAll(go[1], bytes, (size_t)processes);
  AwaitChildren(processes);
  for (int i = 0; i < 2; ++i) {
    close(ready[i]);
    close(go[i]);
  }
}

void Groups(void) {
  Exchange(0);
  Exchange(1);
  Report("%d messages each over pipes and over sockets", kGroups * kEach * kEach * kMessages);
}
