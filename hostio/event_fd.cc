#include "hostio/event_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace isochron::hostio {

EventFd::EventFd() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) {
    perror("isochron: eventfd");
    abort();
  }
}

EventFd::~EventFd() { close(fd_); }

void EventFd::Raise() {
  // Fails only when the counter is full, and then the flag is up.
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(fd_, &one, sizeof(one));
}

void EventFd::Lower() {
  uint64_t count;
  [[maybe_unused]] ssize_t got = read(fd_, &count, sizeof(count));
}

}  // namespace isochron::hostio
