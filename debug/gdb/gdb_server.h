// The stub: answers what gdb asks of a machine.

#ifndef ISOCHRON_DEBUG_GDB_GDB_SERVER_H_
#define ISOCHRON_DEBUG_GDB_GDB_SERVER_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "debug/gdb/debuggee.h"
#include "debug/gdb/packet_reader.h"

namespace isochron::debug {

// The way to a client and back.
class Connection {
 public:
  virtual ~Connection() = default;
  // Waits for bytes. None: the client is gone, or is to be left.
  virtual std::string Receive() = 0;
  // Bytes that are there now. Nothing: none will come any more.
  virtual std::optional<std::string> Poll() = 0;
  // False when the client is gone, or is to be left.
  virtual bool Send(std::string_view bytes) = 0;
};

// Speaks the remote serial protocol with one client, as gdb 13 does: all-stop, a thread for each
// CPU (thread 1 is CPU 0), reverse execution, breakpoints and watchpoints of both kinds, `monitor`.
// What it does not know is answered as the protocol has it, with an empty packet.
class GdbServer {
 public:
  // Both must outlive the server.
  GdbServer(Debuggee& debuggee, Connection& connection)
      : debuggee_(debuggee), connection_(connection) {}

  // Serves until the client detaches, kills or is gone: OK. Unavailable, and why, when what it
  // sends makes no sense any more.
  absl::Status Serve();
  // Whether it has killed the machine. After Serve().
  bool killed() const { return killed_; }

 private:
  // What can be asked; see the table in the source.
  struct Request {
    std::string_view name;
    // Whether more may follow the name.
    bool open = false;
    void (GdbServer::*answer)(std::string_view rest) = nullptr;
  };
  static const Request kRequests[];

  // The next item from the client; nothing when it is gone.
  std::optional<ClientItem> Next();
  void Handle(const ClientItem& item);
  void Answer(std::string_view packet);
  void Reply(std::string_view payload);
  // An answer that gdb shows where it can.
  void ReplyError(std::string_view why);
  void ReplyStatus(const absl::Status& status);
  // Shows text at the client, which must be waiting for a stop or for a command's output.
  void Show(std::string_view text);
  // Whether the client has sent Ctrl-C, or nothing will come any more.
  bool Interrupted();

  void Go(const Resume& resume);
  void Stopped(const StopReport& report);

  void QuerySupported(std::string_view features);
  void QueryThreads(std::string_view);
  void QueryThreadsEnd(std::string_view) { Reply("l"); }
  void QueryCurrentThread(std::string_view);
  void QueryThreadInfo(std::string_view thread);
  void QueryAttached(std::string_view) { Reply("1"); }
  void QueryFeatures(std::string_view rest);
  void QueryMemoryMap(std::string_view rest);
  // Answers with a part of a document: "ANNEX:OFFSET,LENGTH" is what is asked for.
  void Transfer(std::string_view annex, std::string_view document, std::string_view rest);
  void QueryCommand(std::string_view hex);
  void StartNoAckMode(std::string_view);
  void Extend(std::string_view);
  void ReportStop(std::string_view);
  void SelectThread(std::string_view rest);
  void IsThreadAlive(std::string_view rest);
  void ReadRegisters(std::string_view);
  void WriteRegisters(std::string_view digits);
  void ReadRegister(std::string_view rest);
  void WriteRegister(std::string_view rest);
  void ReadMemory(std::string_view rest);
  void WriteMemoryHex(std::string_view rest);
  void WriteMemoryBinary(std::string_view rest);
  void WriteMemory(std::string_view rest, bool binary);
  void InsertStoppoint(std::string_view rest) { ChangeStoppoint(rest, true); }
  void RemoveStoppoint(std::string_view rest) { ChangeStoppoint(rest, false); }
  void ChangeStoppoint(std::string_view rest, bool insert);
  void Continue(std::string_view rest) { GoOld(Resume::Kind::kContinue, false, rest); }
  void Step(std::string_view rest) { GoOld(Resume::Kind::kStep, false, rest); }
  void ContinueWithSignal(std::string_view rest);
  void StepWithSignal(std::string_view rest);
  void StepBackward(std::string_view rest) { GoOld(Resume::Kind::kStep, true, rest); }
  void ContinueBackward(std::string_view rest) { GoOld(Resume::Kind::kContinue, true, rest); }
  void GoOld(Resume::Kind kind, bool backward, std::string_view address);
  void OfferContinue(std::string_view) { Reply("vCont;c;C;s;S;r"); }
  void ContinueThreads(std::string_view actions);
  void Run(std::string_view);
  void Restart(std::string_view);
  void ReplyAndEnd(std::string_view);
  void Kill(std::string_view);
  void KillAndReply(std::string_view);

  // The CPU of a thread's number in hexadecimal digits; 0 and -1 name any. Nothing when there is no
  // such thread.
  std::optional<int> CpuOf(std::string_view thread) const;
  int StepCpu() const { return step_cpu_.value_or(cpu_); }
  std::string RegisterText(int cpu, int number);

  Debuggee& debuggee_;
  Connection& connection_;
  PacketReader reader_;
  std::deque<ClientItem> waiting_;  // read while the machine ran
  std::string last_;                // sent, with its frame
  bool acknowledges_ = true;
  bool sends_swbreak_ = false;
  bool sends_hwbreak_ = false;
  bool extended_ = false;  // who kills the machine means to run it again
  bool ended_ = false;
  bool killed_ = false;
  bool lost_ = false;  // the client is gone
  int cpu_ = 0;        // whose registers and memory are asked for
  // That of Hc; nothing: any, by which gdb means the one that it looks at.
  std::optional<int> step_cpu_;
  std::string notice_;  // to be shown when the client can take it
  absl::Status status_;
  StopReport stop_;  // the last
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_GDB_GDB_SERVER_H_
