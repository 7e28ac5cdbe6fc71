// A machine of nothing but what a stub asks for, and a client that is a list of bytes.

#ifndef ISOCHRON_DEBUG_GDB_FAKE_DEBUGGEE_H_
#define ISOCHRON_DEBUG_GDB_FAKE_DEBUGGEE_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "debug/gdb/debuggee.h"
#include "debug/gdb/gdb_server.h"

namespace isochron::debug {

// Its memory is the bytes of `memory` from kMemory on; it goes where `stops` says.
class FakeDebuggee final : public Debuggee {
 public:
  static constexpr uint64_t kMemory = 0x1000;

  int cpus() const override { return 2; }
  std::optional<uint64_t> ReadRegister(int cpu, int number) override {
    if (number == kGdbUnnamed) return std::nullopt;
    return static_cast<uint64_t>(cpu) << 32 | static_cast<uint64_t>(number);
  }
  std::string ReadMemory(int, uint64_t address, uint64_t size) override {
    if (address < kMemory || address - kMemory >= memory.size()) return "";
    return memory.substr(address - kMemory, size);
  }
  absl::Status WriteRegister(int, int, uint64_t) override { return Refusal(); }
  absl::Status WriteMemory(int, uint64_t, std::string_view) override { return Refusal(); }
  absl::Status Insert(const Stoppoint& stoppoint) override {
    if (stoppoint.size == 0) return absl::InvalidArgumentError("it has no bytes");
    stoppoints.push_back(stoppoint);
    return absl::OkStatus();
  }
  absl::Status Remove(const Stoppoint& stoppoint) override {
    std::erase(stoppoints, stoppoint);
    return absl::OkStatus();
  }
  StopReport Go(const Resume& resume, const std::function<bool()>& interrupted) override {
    resumes.push_back(resume);
    for (int turn = 0; turn < turns; ++turn) {
      if (interrupted()) {
        StopReport report;
        report.reason = StopReport::Reason::kInterrupted;
        return report;
      }
    }
    if (stops.empty()) return {};
    StopReport stop = std::move(stops.front());
    stops.pop_front();
    return stop;
  }
  bool ends_when_killed() const override { return live; }
  StopReport Restart(const std::function<bool()>&) override {
    ++restarts;
    return {};
  }
  std::string Monitor(int /*cpu*/, std::string_view command,
                      const std::function<bool()>&) override {
    return absl::StrCat("heard ", absl::string_view(command.data(), command.size()), "\n");
  }

  std::string memory = "isochron";
  std::deque<StopReport> stops;
  int turns = 3;  // how often it asks whether it is interrupted
  std::vector<Stoppoint> stoppoints;
  std::vector<Resume> resumes;
  int restarts = 0;
  bool live = false;

 private:
  static absl::Status Refusal() { return absl::FailedPreconditionError("it is a recording"); }
};

// Sends what it is given, piece by piece, and is gone then.
class FakeConnection final : public Connection {
 public:
  std::string Receive() override {
    if (pieces.empty()) return "";
    std::string piece = std::move(pieces.front());
    pieces.pop_front();
    return piece.empty() ? Receive() : piece;
  }
  std::optional<std::string> Poll() override {
    if (pieces.empty()) return "";
    return Receive();
  }
  bool Send(std::string_view bytes) override {
    sent += bytes;
    return true;
  }

  std::deque<std::string> pieces;
  std::string sent;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_GDB_FAKE_DEBUGGEE_H_
