// The far end of a UART's line, at which somebody else on this host may be.

#ifndef ISOCHRON_CLI_HOST_SERIAL_LINK_H_
#define ISOCHRON_CLI_HOST_SERIAL_LINK_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/host/host_queue.h"
#include "hostio/event_fd.h"
#include "hostio/file.h"
#include "machine/events/input.h"

namespace isochron::cli {

// A Unix stream socket whose clients come and go, one at a time, or a pseudo terminal that somebody
// may open. What the guest sends while nobody is there is gone, as on a line without a plug. Who is
// there and reads slowly makes Write() wait, but not once a stop has been asked for.
class SerialLink {
 public:
  // Listens at `path`: see ListenAtPath().
  static absl::StatusOr<std::unique_ptr<SerialLink>> Listen(const std::string& path);
  // Makes a pseudo terminal. Internal when the host has none to give.
  static absl::StatusOr<std::unique_ptr<SerialLink>> OpenTerminal();
  // Removes a socket.
  ~SerialLink();
  SerialLink(const SerialLink&) = delete;
  SerialLink& operator=(const SerialLink&) = delete;

  // What others open to be there: the path of the socket, or of the terminal.
  const std::string& name() const { return name_; }

  // Takes clients, and what they send as input for `port`, from here on; without a queue that is
  // dropped. `queue` must outlive this. Internal when the host refuses a thread.
  absl::Status Start(HostQueue* queue, machine::Port port);
  // No more input comes. It may be started again.
  void Stop();

  // From the sequencer.
  void Write(std::string_view bytes, const hostio::EventFd& stop);

 private:
  SerialLink() = default;

  void Loop();
  void Accept();
  void Receive(int peer);
  // Whether somebody has the other end open.
  bool IsConnected(int peer) const;

  std::string name_;
  hostio::Descriptor listener_;  // of a socket
  HostQueue* queue_ = nullptr;
  machine::Port port_;
  hostio::EventFd end_;
  std::thread thread_;

  std::mutex mutex_;         // of peer_, which the thread alone changes while there is one
  hostio::Descriptor peer_;  // the client, or our end of the terminal
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_SERIAL_LINK_H_
