#include "debug/call_stacks.h"

#include <utility>

namespace isochron::debug {

CallStacks::CallStacks(Functions& functions, CallTree& tree, Sleepers& sleepers, const Place& place)
    : functions_(functions), tree_(tree), thread_(place.thread), sleepers_(sleepers) {
  frames_.reserve(kMaxFrames + 1);
  StartOver(place.level);
}

void CallStacks::StartOver(Level level) {
  pending_ = {};
  Frame base;
  base.level = level;
  frames_.clear();
  Push(base);
}

void CallStacks::Push(const Frame& frame) {
  frames_.push_back(frame);
  function_ = frame.function;
  node_ = frame.node;
}

void CallStacks::Cut(size_t frames) {
  frames_.resize(frames);
  function_ = top().function;
  node_ = top().node;
}

void CallStacks::GoTo(uint64_t pc, uint32_t function) {
  const bool returns = pending_.kind == Transfer::Kind::kReturn &&
                       top().kind == Frame::Kind::kCall && top().return_pc == pc &&
                       top().sp == pending_.sp;
  if (returns) {  // as nearly all do
    pending_.kind = Transfer::Kind::kNone;
    frames_.pop_back();
    function_ = top().function;
    node_ = top().node;
  } else if (pending_.kind != Transfer::Kind::kNone) {
    Resolve(std::exchange(pending_, {}), pc, function);
  }
  if (function_ == function) return;
  top().function = function_ = function;
  const uint32_t named = function == Functions::kUnknown ? functions_.Unnamed(pc) : function;
  top().node = node_ = tree_.Child(top().parent, named, top().level);
}

void CallStacks::Resolve(const Transfer& transfer, uint64_t pc, uint32_t function) {
  const bool may_return =
      transfer.kind == Transfer::Kind::kReturn || transfer.kind == Transfer::Kind::kCoroutine;
  if (may_return && ReturnTo(pc, transfer.sp)) return;
  const bool calls =
      transfer.kind == Transfer::Kind::kCall || transfer.kind == Transfer::Kind::kCoroutine;
  if (!calls || frames_.size() >= kMaxFrames) return JumpTo(function, transfer.sp);
  DropDead(transfer.sp);
  // The same call cannot be made again before it is over.
  for (size_t i = frames_.size() - 1; frames_[i].kind == Frame::Kind::kCall; --i) {
    if (frames_[i].sp != transfer.sp) break;
    if (frames_[i].return_pc == transfer.return_pc) {
      Cut(i);
      break;
    }
  }
  Frame frame;
  frame.kind = Frame::Kind::kCall;
  frame.level = top().level;
  frame.parent = node_;
  frame.return_pc = transfer.return_pc;
  frame.sp = transfer.sp;
  Push(frame);
}

void CallStacks::DropDead(uint64_t sp) {
  size_t left = frames_.size();
  while (frames_[left - 1].kind == Frame::Kind::kCall && frames_[left - 1].sp < sp) --left;
  if (left != frames_.size()) Cut(left);
}

bool CallStacks::ReturnTo(uint64_t pc, uint64_t sp) {
  DropDead(sp);
  // It may return with a stack pointer below that of the call: it makes room for its caller.
  if (top().kind == Frame::Kind::kCall && top().return_pc == pc) {
    Cut(frames_.size() - 1);
    return true;
  }
  for (size_t i = frames_.size() - 1; frames_[i].kind == Frame::Kind::kCall; --i) {
    if (frames_[i].sp != sp) break;
    if (frames_[i].return_pc != pc) continue;
    Cut(i);
    return true;
  }
  return false;
}

void CallStacks::JumpTo(uint32_t function, uint64_t sp) {
  DropDead(sp);
  // A function that has called with this stack pointer may be gone back to.
  for (size_t i = frames_.size() - 1; function_ != function; --i) {
    if (frames_[i].kind != Frame::Kind::kCall || frames_[i].sp != sp) break;
    if (frames_[i - 1].function == function) Cut(i);
  }
}

void CallStacks::Enter(const Place& from, uint64_t pal_pc, Functions::Label label) {
  Frame frame;
  frame.kind = Frame::Kind::kPal;
  At(from.pc, functions_.At(from.pc));
  frame.parent = tree_.Child(node_, label, Level::kPal);
  EnterPal(from, pal_pc, frame);
}

void CallStacks::EnterByCall(const Place& from, uint64_t pal_pc, PalCall call) {
  Frame frame;
  frame.kind = Frame::Kind::kPalCall;
  frame.call = call;
  frame.parent = node_;
  EnterPal(from, pal_pc, frame);
}

void CallStacks::EnterPal(const Place& from, uint64_t pal_pc, Frame frame) {
  frame.level = Level::kPal;
  frame.return_pc = from.pc;
  frame.sp = from.sp;
  if (frames_.size() >= kMaxFrames) Cut(frames_.size() - 1);
  Push(frame);
  At(pal_pc, functions_.At(pal_pc));
}

size_t CallStacks::FirstPalFrame() const {
  size_t first = frames_.size();
  while (first > 1 && frames_[first - 1].level == Level::kPal) --first;
  return first;
}

bool CallStacks::GoBackTo(uint64_t pc) {
  const size_t first = FirstPalFrame();
  for (size_t i = frames_.size(); i-- > first;) {
    const Frame& frame = frames_[i];
    // PALcode may do an instruction in the CPU's place.
    const bool behind = frame.kind == Frame::Kind::kPal && frame.return_pc + 4 == pc;
    if (frame.kind == Frame::Kind::kCall || (frame.return_pc != pc && !behind)) continue;
    Cut(i);
    return true;
  }
  return false;
}

void CallStacks::LeavePal(const Place& to) {
  if ((to.pc & 1) != 0) {
    if (!GoBackTo(to.pc)) Jump(to.sp);
    return;
  }
  if (to.thread != thread_) return SwitchTo(to);
  if (GoBackTo(to.pc)) return;
  const size_t first = FirstPalFrame();
  if (first == frames_.size()) {
    if (top().level != to.level) return StartOver(to.level);
    return Jump(to.sp);
  }
  Deliver(first, to);
}

void CallStacks::Deliver(size_t frame, const Place& to) {
  Cut(frame + 1);
  const bool called = top().kind == Frame::Kind::kPalCall;
  const PalCall call = top().call;
  if (called && call == PalCall::kRestart) return StartOver(to.level);
  if (called && call == PalCall::kReturn) {
    Cut(frame);
    return EndDelivery(to);
  }
  if (called) {
    const bool system_call = call == PalCall::kSystemCall;
    top().parent = tree_.Child(
        top().parent, system_call ? Functions::kSystemCall : Functions::kException, Level::kPal);
  }
  top().kind = Frame::Kind::kDelivered;
  top().level = to.level;
  top().function = function_ = kNobody;
}

void CallStacks::EndDelivery(const Place& to) {
  // User mode has nothing of the operating system below it.
  size_t ended = frames_.size();
  size_t entry = 0;
  while (ended-- > 1) {
    if (frames_[ended].kind != Frame::Kind::kDelivered) continue;
    entry = ended;
    if (to.level != Level::kUser) break;
  }
  if (entry == 0) return StartOver(to.level);
  const Frame over = frames_[entry];
  Cut(entry);
  if (top().level != to.level) return StartOver(to.level);
  if (to.pc == over.return_pc) return;
  if (to.level != Level::kUser || to.sp >= over.sp || frames_.size() >= kMaxFrames) {
    return Jump(to.sp);
  }
  // Something is called that returns to what was interrupted: a signal's handler.
  Frame handler;
  handler.kind = Frame::Kind::kCall;
  handler.level = to.level;
  handler.parent = node_;
  handler.return_pc = over.return_pc;
  handler.sp = over.sp;
  Push(handler);
}

void CallStacks::SwitchTo(const Place& to) {
  const size_t first = FirstPalFrame();
  if (first != frames_.size()) {
    const uint64_t pc = frames_[first].return_pc;
    const uint64_t sp = frames_[first].sp;
    if (sleepers_.by_thread_.size() >= Sleepers::kMost) sleepers_.Clear();
    Cut(first);
    sleepers_.by_thread_[thread_] = {std::move(frames_), pc, sp};
  }
  thread_ = to.thread;
  const auto sleeper = sleepers_.by_thread_.find(thread_);
  // Another thread may have got the control block since.
  const bool awakes = sleeper != sleepers_.by_thread_.end() && sleeper->second.pc == to.pc &&
                      sleeper->second.sp == to.sp;
  StartOver(to.level);
  if (awakes) {
    frames_ = std::move(sleeper->second.frames);
    Cut(frames_.size());
  }
  if (sleeper != sleepers_.by_thread_.end()) sleepers_.by_thread_.erase(sleeper);
}

}  // namespace isochron::debug
