// A flag that poll() can wait for.

#ifndef ISOCHRON_HOSTIO_EVENT_FD_H_
#define ISOCHRON_HOSTIO_EVENT_FD_H_

namespace isochron::hostio {

// Readable from Raise() until Lower(). Any thread may call either.
class EventFd {
 public:
  EventFd();
  ~EventFd();
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;

  int fd() const { return fd_; }
  void Raise();
  void Lower();

 private:
  int fd_;
};

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_EVENT_FD_H_
