// Stops that people ask a debugger for beyond breakpoints and watchpoints.

#ifndef ISOCHRON_DEBUG_STOPS_H_
#define ISOCHRON_DEBUG_STOPS_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "alpha/cpu.h"
#include "debug/osf_places.h"
#include "debug/symbols.h"
#include "machine/events/event.h"
#include "machine/stop_condition.h"
#include "timeline/stop_selector.h"
#include "timeline/timeline.h"

namespace isochron::debug {

// The bits of Stop::value for frames.
inline constexpr uint64_t kSentFrames = 1, kReceivedFrames = 2;

// One of them.
struct Stop {
  enum class Kind : uint8_t {
    kPc,         // before the instruction at `value`, as in Cpu::pc
    kEvent,      // behind an event of the kind with index `value`, of UART `uart` if it is output
    kFrame,      // behind a frame that has been sent, received (`value` has a bit for each) or both
    kText,       // where what UART `uart` has sent ends with `bytes`
    kException,  // where the operating system is entered, at the points `value` (a bit for each)
    kMachineCheck,
    kTlbMiss,  // where PALcode begins to deal with it, the kinds `value` (a bit for each TlbMiss)
    kSystemCall,  // of number `value`, or any: before or behind it
    kCallPal,     // function `value`, likewise
  };
  Kind kind = Kind::kPc;
  std::optional<uint64_t> value;
  bool after = false;
  uint8_t uart = 0;
  std::string bytes;
  std::optional<uint8_t> asn;  // only where the CPU has this address space number

  std::string name;  // what it is, for people
};

// What can be asked for, in lines: of what StopNamed() takes, and what that is.
struct StopHelp {
  std::string_view words;
  std::string_view meaning;
};
const std::vector<StopHelp>& StopHelps();

// Reads "syscall write after asn 35". InvalidArgument or NotFound with what is wrong.
absl::StatusOr<Stop> StopNamed(std::string_view line, const Symbols& symbols);

// Stops by number.
//
// "Before" a CALL_PAL is the boundary before the instruction; where a run is being made, which
// could be changed no longer there, and of several CPUs, of which others may have run in between,
// PALcode's first instruction. Who comes from one of these to the
// other has been told already, and who begins before the instruction knows it, too. "After" is the
// first boundary
// outside of PALmode, for a system call where the program goes on. Which call it is that returns is
// known from when it was made, and looked up in what lies before where the run is entered in
// between, by whatever CPU is inside of it.
class Stops final : public timeline::StopSelector {
 public:
  // `timeline` must outlive it.
  explicit Stops(timeline::Timeline& timeline);
  ~Stops() override;
  Stops(const Stops&) = delete;
  Stops& operator=(const Stops&) = delete;

  // Its number, from 1 on. ResourceExhausted when there are too many; errors of the log, which is
  // read for a text.
  absl::StatusOr<uint64_t> Add(Stop stop);
  // False when there is none.
  bool Delete(uint64_t number) { return stops_.erase(number) != 0; }
  void DeleteAll() { stops_.clear(); }
  bool empty() const { return stops_.empty(); }
  // "1: system call write, before", in lines.
  std::string List() const;

  // Before and after the timeline, a recording's, becomes a run of its own: what the guest has sent
  // up to there counts for texts.
  absl::Status PrepareLive();
  void BecomeLive();

  absl::Status Begin(timeline::Timeline& timeline, bool forward) override;
  machine::StopCondition Candidates(const timeline::Timeline& timeline) override;
  absl::Status Select(timeline::Timeline& timeline, const machine::StopReasons& met,
                      std::vector<timeline::Selection>& selected) override;
  bool pending() const override { return !returning_.empty(); }
  bool MayHaveMissed(uint64_t behind, uint64_t before) const override;

 private:
  static constexpr size_t kMaxStops = 256;
  static constexpr int kUarts = 2;

  // The end of what each UART has sent, of a run that is being made; bytes go on to whoever was
  // told before.
  class Tail final : public machine::ConsoleSink {
   public:
    void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;
    void Add(int uart, std::string_view bytes);
    bool EndsWith(int uart, std::string_view text) const;
    void SetNext(machine::ConsoleSink* next) { next_ = next; }
    machine::ConsoleSink* next() const { return next_; }

   private:
    std::array<std::string, kUarts> sent_;
    machine::ConsoleSink* next_ = nullptr;
  };
  struct Kept {
    Stop stop;
    // Of a text: cycles of the bytes that complete it, in what is known of the run.
    std::set<uint64_t> completed;
  };

  // That which what is stopped at is about.
  const alpha::Cpu& cpu() const;
  uint64_t here() const { return timeline_.machine().moment(); }
  uint32_t EntriesHere() const {
    return SystemEntriesHere(timeline_.machine(), CpuHere(timeline_.machine()));
  }
  // Whether the run is being made here.
  bool Makes() const { return timeline_.is_live() && !timeline_.in_past(); }
  bool Any(Stop::Kind kind, bool after) const;
  // Whether there is any that takes place where a call returns.
  bool AnyAfter() const {
    return Any(Stop::Kind::kSystemCall, true) || Any(Stop::Kind::kCallPal, true);
  }
  // Whether the stop, which is none of an event, is one of this boundary itself.
  bool IsHere(const Stop& stop, const machine::StopReasons& met) const;
  bool IsEventHere(const Kept& kept, const machine::Event& event) const;
  // Whether it is one of the call whose first instruction in PALcode this is.
  bool IsCallHere(const Stop& stop) const;
  // `whose`: nothing where it is the machine's.
  void Choose(uint64_t number, const Kept& kept, std::optional<int> whose, uint64_t moment,
              const std::string& more, std::vector<timeline::Selection>& selected) const;
  // The same for each CPU to which an event of the stop has happened here.
  void ChooseEvents(uint64_t number, const Kept& kept, const machine::StopReasons& met,
                    std::vector<timeline::Selection>& selected) const;
  // Notes calls that are made, and what is to be stopped at behind those that return.
  absl::Status Follow(timeline::Timeline& timeline);
  // Takes the number of the call that is about to be returned from. Nothing when it is none.
  absl::StatusOr<std::optional<uint64_t>> TakeCall(timeline::Timeline& timeline);
  // The same by a search in what lies before where this began.
  absl::StatusOr<std::optional<uint64_t>> FindCall(timeline::Timeline& timeline,
                                                   const SystemCallKey& key) const;
  // Finds out for what CPUs are in PALmode which are so here.
  absl::Status LookBack(timeline::Timeline& timeline);
  // Goes to where that CPU, which is in PALmode when it has retired so many instructions, was not,
  // and follows it to there.
  absl::Status FollowPalcode(timeline::Timeline& timeline, int cpu, uint64_t instructions);
  void Forget(uint64_t moment);
  // Where to stop for the call whose first instruction in PALcode this is, if that is news.
  std::optional<uint64_t> CallPlace() const;
  absl::Status FindText(Kept& kept);
  // The same for all texts, of a run in its past, unless that is known already.
  absl::Status FindTexts();
  // What happened at a call, or behind it.
  std::string CallText() const;

  timeline::Timeline& timeline_;
  std::map<uint64_t, Kept> stops_;
  uint64_t next_number_ = 1;
  Tail tail_;
  bool follows_console_ = false;
  std::optional<uint64_t> texts_known_to_;  // FindTexts() has found them up to this cycle

  // The run, or the part of one that is searched, that was begun last.
  bool forward_ = true;
  uint64_t began_ = 0;
  // Of the last call that was stopped at where the run was made: PALcode's first instruction.
  std::optional<uint64_t> stopped_inside_;
  // Everything from `begin_` to `last_` has been seen.
  uint64_t begin_ = 0;
  uint64_t last_ = 0;
  std::map<SystemCallKey, uint64_t> open_;  // calls that have not returned, and their numbers
  // Stops at the next boundary outside of PALmode of a CPU: their number and that CPU, and what
  // more is to be said.
  std::map<std::pair<uint64_t, int>, std::string> returning_;
  // Of a search backwards: CPUs that were in PALmode where the part of it began that was searched
  // last.
  struct Inside {
    bool still = true;
    uint64_t left = 0;  // the moment at which it left PALmode, also in a later part; 0: not yet
  };
  std::map<int, Inside> inside_;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_STOPS_H_
