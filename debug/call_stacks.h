// Who has called whom: follows the stacks of a run's threads of control.

#ifndef ISOCHRON_DEBUG_CALL_STACKS_H_
#define ISOCHRON_DEBUG_CALL_STACKS_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "debug/call_tree.h"
#include "debug/stepper.h"

namespace isochron::debug {

// Is told what a CPU does, and knows the stack of calls in which that happens. It believes the
// hints of jumps as far as the stack pointer agrees with them:
//
// - BSR and JSR that leave a return address call; RET returns to the call with that address, and
//   with it all calls inside that one end.
// - A call made with a stack pointer below the present one is over, however it ended: longjmp() and
//   exceptions of languages leave many at once.
// - Going elsewhere otherwise, by a branch or a jump, a function gives way to the one that is
// there:
//   a tail call.
//
// Exceptions, interrupts and CALL_PAL are calls, too, of PALcode; where PALcode goes on in the
// operating system, that is called in its place, until it goes back by way of PALcode. Each thread
// of control, which a process control block stands for, has a stack of its own.
class CallStacks {
 public:
  // Where a CPU is.
  struct Place {
    uint64_t pc = 0;  // as in Cpu::pc
    uint64_t sp = 0;
    Level level = Level::kKernel;
    uint64_t thread = 0;
  };
  // What a CALL_PAL function is for that does not return to where it was called.
  enum class PalCall : uint8_t {
    kTrap,        // to have the operating system handle an exception
    kSystemCall,  // or a system call
    kReturn,      // to end one of those
    kRestart,     // to begin anew
  };

  // The threads of control that run nowhere now: of all CPUs, between which they move.
  class Sleepers;

  // Nothing is known of what was called before. All must outlive it.
  CallStacks(Functions& functions, CallTree& tree, Sleepers& sleepers, const Place& place);

  // The node of what is executed now.
  uint32_t node() const { return node_; }
  // What At() was told last, as long as nothing has happened since that it would look at.
  uint32_t function() const { return pending_.kind == Transfer::Kind::kNone ? function_ : kNobody; }

  // What is at `pc` is executed next, code of that function, or of none that has a symbol.
  void At(uint64_t pc, uint32_t function) {
    if (function == function_ && pending_.kind == Transfer::Kind::kNone) [[likely]]
      return;
    GoTo(pc, function);
  }
  // It has ended with one of these; At() follows. `sp`: the stack pointer then.
  void Call(uint64_t return_pc, uint64_t sp) { pending_ = {Transfer::Kind::kCall, return_pc, sp}; }
  void Return(uint64_t sp) { pending_ = {Transfer::Kind::kReturn, 0, sp}; }
  void Jump(uint64_t sp) { pending_ = {Transfer::Kind::kJump, 0, sp}; }
  void Coroutine(uint64_t return_pc, uint64_t sp) {
    pending_ = {Transfer::Kind::kCoroutine, return_pc, sp};
  }

  // PALcode has been entered at `pal_pc`: by an exception or an interrupt at `from`, or by
  // CALL_PAL, for which `from` is behind it.
  void EnterByException(const Place& from, uint64_t pal_pc) {
    Enter(from, pal_pc, Functions::kException);
  }
  void EnterByInterrupt(const Place& from, uint64_t pal_pc) {
    Enter(from, pal_pc, Functions::kInterrupt);
  }
  void EnterByCall(const Place& from, uint64_t pal_pc, PalCall call);
  // HW_RET has led to `to`.
  void LeavePal(const Place& to);
  // The CPU begins anew.
  void Restart(const Place& place) {
    thread_ = place.thread;
    StartOver(place.level);
  }

  // The frames of the thread of control, the root and what began it excluded; for tests.
  size_t depth() const { return frames_.size() - 1; }

 private:
  struct Transfer {
    enum class Kind : uint8_t { kNone, kCall, kReturn, kJump, kCoroutine };
    Kind kind = Kind::kNone;
    uint64_t return_pc = 0;
    uint64_t sp = 0;
  };
  struct Frame {
    enum class Kind : uint8_t {
      kBase,       // nobody knows who has called it
      kCall,       // called with `sp`, returns to `return_pc`
      kPal,        // PALcode, entered with `sp`, by an exception or an interrupt
      kPalCall,    // the same by CALL_PAL
      kDelivered,  // the operating system in place of a kPal or kPalCall
    };
    Kind kind = Kind::kBase;
    PalCall call = PalCall::kTrap;
    Level level = Level::kKernel;
    uint32_t parent = 0;          // node that its own stands below
    uint32_t node = 0;            // its own, once something of it has been executed
    uint32_t function = kNobody;  // as At() is told
    uint64_t return_pc = 0;
    uint64_t sp = 0;
  };
  struct Sleeper {
    std::vector<Frame> frames;
    uint64_t pc = 0;
    uint64_t sp = 0;
  };
  // Nothing has been executed yet.
  static constexpr uint32_t kNobody = ~uint32_t{0};
  // Deeper calls are taken for jumps.
  static constexpr size_t kMaxFrames = 1000;

  Frame& top() { return frames_.back(); }
  void GoTo(uint64_t pc, uint32_t function);
  void Resolve(const Transfer& transfer, uint64_t pc, uint32_t function);
  void Push(const Frame& frame);
  void Cut(size_t frames);
  // Ends the calls that the stack pointer says are over.
  void DropDead(uint64_t sp);
  bool ReturnTo(uint64_t pc, uint64_t sp);
  void JumpTo(uint32_t function, uint64_t sp);
  void Enter(const Place& from, uint64_t pal_pc, Functions::Label label);
  void EnterPal(const Place& from, uint64_t pal_pc, Frame frame);
  // The first of the frames of PALcode that are on top; all of them when there is none.
  size_t FirstPalFrame() const;
  // Ends the frame of PALcode that was entered there, if there is one.
  bool GoBackTo(uint64_t pc);
  void Deliver(size_t frame, const Place& to);
  void EndDelivery(const Place& to);
  void SwitchTo(const Place& to);
  // Nothing is known of who has called what is there.
  void StartOver(Level level);

  Functions& functions_;
  CallTree& tree_;
  std::vector<Frame> frames_;
  uint32_t node_ = 0;
  uint32_t function_ = kNobody;  // of the frame on top
  Transfer pending_;
  uint64_t thread_;
  Sleepers& sleepers_;
};

class CallStacks::Sleepers {
 public:
  // The machine begins anew.
  void Clear() { by_thread_.clear(); }

 private:
  friend class CallStacks;
  // With more all are forgotten.
  static constexpr size_t kMost = size_t{1} << 16;
  std::unordered_map<uint64_t, Sleeper> by_thread_;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_CALL_STACKS_H_
