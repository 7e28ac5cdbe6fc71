#include "debug/call_stacks.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace isochron::debug {
namespace {

using PalCall = CallStacks::PalCall;

// Functions have 0x100 bytes and are called after their address; there is none from 0x10000 on.
std::optional<Functions::Found> Find(uint64_t pc) {
  if (pc >= 0x10000) return std::nullopt;
  const uint64_t begin = (pc & ~uint64_t{0xff}) | (pc & 1);
  return Functions::Found{begin, absl::StrCat((pc & 1) != 0 ? "pal" : "f", pc >> 8)};
}

class CallStacksTest : public ::testing::Test {
 protected:
  // Code at `pc` is executed.
  void At(uint64_t pc) { stacks_.At(pc, functions_.At(pc)); }
  std::string Stack() {
    std::vector<std::string> names;
    for (uint32_t node = stacks_.node(); node != 0; node = tree_.nodes()[node].parent) {
      names.insert(names.begin(), functions_.name(tree_.nodes()[node].function));
    }
    return absl::StrJoin(names, " ");
  }
  // A function calls another, which is executed then.
  void Call(uint64_t from, uint64_t to, uint64_t sp) {
    At(from);
    stacks_.Call(from + 4, sp);
    At(to);
  }
  CallStacks::Place User(uint64_t pc, uint64_t sp) const { return {pc, sp, Level::kUser, thread_}; }
  CallStacks::Place Kernel(uint64_t pc, uint64_t sp) const {
    return {pc, sp, Level::kKernel, thread_};
  }
  // The operating system is entered at `to` by an exception at `from`.
  void Trap(uint64_t from, uint64_t sp, uint64_t to, uint64_t kernel_sp) {
    stacks_.EnterByException(User(from, sp), 0x9001);
    stacks_.LeavePal(Kernel(to, kernel_sp));
    At(to);
  }
  // It goes back by CALL_PAL at `from`.
  void GoBack(uint64_t from, const CallStacks::Place& to) {
    At(from);
    stacks_.EnterByCall(Kernel(from + 4, 0x5000), 0x9101, PalCall::kReturn);
    stacks_.LeavePal(to);
    At(to.pc);
  }

  uint64_t thread_ = 1;
  Functions functions_{Find};
  CallTree tree_;
  CallStacks::Sleepers sleepers_;
  CallStacks stacks_{functions_, tree_, sleepers_, {0x100, 0x1000, Level::kUser, 1}};
};

TEST_F(CallStacksTest, CallsAndReturns) {
  Call(0x100, 0x200, 0x1000);
  Call(0x210, 0x300, 0x0f00);
  EXPECT_EQ(Stack(), "f1 f2 f3");
  stacks_.Return(0x0f00);
  At(0x214);
  EXPECT_EQ(Stack(), "f1 f2");
  stacks_.Return(0x1000);
  At(0x104);
  EXPECT_EQ(Stack(), "f1");
  EXPECT_EQ(stacks_.depth(), 0u);
}

TEST_F(CallStacksTest, Recursion) {
  Call(0x100, 0x200, 0x1000);
  for (uint64_t sp : {0x0f00, 0x0e00, 0x0d00}) Call(0x210, 0x200, sp);
  EXPECT_EQ(Stack(), "f1 f2 f2 f2 f2");
  for (uint64_t sp : {0x0d00, 0x0e00, 0x0f00}) {
    stacks_.Return(sp);
    At(0x214);
  }
  EXPECT_EQ(Stack(), "f1 f2");
}

TEST_F(CallStacksTest, TailCalls) {
  Call(0x100, 0x200, 0x1000);
  stacks_.Jump(0x1000);
  At(0x300);
  EXPECT_EQ(Stack(), "f1 f3");
  At(0x400);  // by a branch, which nobody tells of
  EXPECT_EQ(Stack(), "f1 f4");
  stacks_.Return(0x1000);
  At(0x104);
  EXPECT_EQ(Stack(), "f1");
}

TEST_F(CallStacksTest, ManyCallsAreLeftAtOnce) {
  Call(0x100, 0x200, 0x1000);
  Call(0x210, 0x300, 0x0f00);
  Call(0x310, 0x400, 0x0e00);
  // To behind another call of f2 with the same stack pointer, by a jump or by a return.
  stacks_.Jump(0x0f00);
  At(0x220);
  EXPECT_EQ(Stack(), "f1 f2");
  Call(0x230, 0x300, 0x0f00);
  Call(0x310, 0x400, 0x0e00);
  stacks_.Return(0x1000);
  At(0x180);
  EXPECT_EQ(Stack(), "f1");
}

TEST_F(CallStacksTest, AHelperMayMakeRoomForItsCaller) {
  Call(0x100, 0x200, 0x1000);
  stacks_.Return(0x0e00);
  At(0x104);
  EXPECT_EQ(Stack(), "f1");
  Call(0x110, 0x200, 0x0e00);
  stacks_.Return(0x1000);
  At(0x114);
  EXPECT_EQ(Stack(), "f1");
}

TEST_F(CallStacksTest, ACallThatNeverReturnsIsNoDeeperStackEachTime) {
  for (int i = 0; i < 100; ++i) Call(0x110, 0x120, 0x1000);
  EXPECT_EQ(stacks_.depth(), 1u);
  for (uint64_t i = 0; i < 100'000; ++i) Call(0x110, 0x120, 0x10000000 - 16 * i);
  EXPECT_LE(stacks_.depth(), 1000u);
}

TEST_F(CallStacksTest, CodeWithoutSymbolsIsCalledAfterWhereItWasEntered) {
  Call(0x100, 0x12340, 0x1000);
  At(0x12360);
  EXPECT_EQ(Stack(), "f1 0x12340");
  Call(0x12370, 0x20000, 0x0f00);
  EXPECT_EQ(Stack(), "f1 0x12340 0x20000");
  stacks_.Return(0x0f00);
  At(0x12374);
  EXPECT_EQ(Stack(), "f1 0x12340");
}

TEST_F(CallStacksTest, PalcodeThatReturns) {
  At(0x100);
  stacks_.EnterByException(User(0x104, 0x1000), 0x9001);
  EXPECT_EQ(Stack(), "f1 [exception] pal144");
  // In that, another one.
  stacks_.EnterByException(User(0x9011, 0x1000), 0x9101);
  EXPECT_EQ(Stack(), "f1 [exception] pal144 [exception] pal145");
  stacks_.LeavePal(User(0x9011, 0x1000));
  At(0x9011);
  EXPECT_EQ(Stack(), "f1 [exception] pal144");
  stacks_.LeavePal(User(0x104, 0x1000));
  At(0x104);
  EXPECT_EQ(Stack(), "f1");
  // It may do the instruction itself.
  stacks_.EnterByException(User(0x108, 0x1000), 0x9001);
  stacks_.LeavePal(User(0x10c, 0x1000));
  At(0x10c);
  EXPECT_EQ(Stack(), "f1");
  stacks_.EnterByCall(User(0x114, 0x1000), 0x9201, PalCall::kTrap);
  EXPECT_EQ(Stack(), "f1 pal146");
  stacks_.LeavePal(User(0x114, 0x1000));
  At(0x114);
  EXPECT_EQ(Stack(), "f1");
}

TEST_F(CallStacksTest, TheOperatingSystemStandsBetween) {
  Call(0x100, 0x200, 0x1000);
  Trap(0x204, 0x0f00, 0x700, 0x5000);
  Call(0x710, 0x800, 0x5000);
  EXPECT_EQ(Stack(), "f1 f2 [exception] f7 f8");
  stacks_.EnterByInterrupt(Kernel(0x804, 0x4f00), 0x9001);
  stacks_.LeavePal(Kernel(0x600, 0x4e00));
  At(0x600);
  EXPECT_EQ(Stack(), "f1 f2 [exception] f7 f8 [interrupt] f6");
  GoBack(0x610, Kernel(0x804, 0x4f00));
  EXPECT_EQ(Stack(), "f1 f2 [exception] f7 f8");
  stacks_.Return(0x5000);
  GoBack(0x714, User(0x204, 0x0f00));
  EXPECT_EQ(Stack(), "f1 f2");
  stacks_.EnterByCall(User(0x220, 0x0f00), 0x9301, PalCall::kSystemCall);
  stacks_.LeavePal(Kernel(0x700, 0x5000));
  At(0x700);
  EXPECT_EQ(Stack(), "f1 f2 [system call] f7");
  GoBack(0x710, User(0x220, 0x0f00));
  EXPECT_EQ(Stack(), "f1 f2");
}

TEST_F(CallStacksTest, ASignalIsACallOfItsHandler) {
  At(0x100);
  Trap(0x104, 0x1000, 0x700, 0x5000);
  GoBack(0x710, User(0x300, 0x0c00));
  EXPECT_EQ(Stack(), "f1 f3");
  // The handler is done, and the system call that ends it goes back to what was interrupted.
  stacks_.EnterByCall(User(0x320, 0x0c00), 0x9301, PalCall::kSystemCall);
  stacks_.LeavePal(Kernel(0x700, 0x5000));
  GoBack(0x710, User(0x104, 0x1000));
  EXPECT_EQ(Stack(), "f1");
  EXPECT_EQ(stacks_.depth(), 0u);
}

TEST_F(CallStacksTest, EachThreadHasAStack) {
  const auto switch_to = [&](uint64_t thread, uint64_t sp_here, uint64_t sp_there) {
    At(0x800);
    stacks_.EnterByCall(Kernel(0x804, sp_here), 0x9301, PalCall::kTrap);
    thread_ = thread;
    stacks_.LeavePal(Kernel(0x804, sp_there));
    At(0x804);
  };
  At(0x100);
  Trap(0x104, 0x1000, 0x700, 0x5000);
  Call(0x710, 0x800, 0x5000);
  switch_to(2, 0x4f00, 0x6f00);
  EXPECT_EQ(Stack(), "f8");
  stacks_.Return(0x7000);
  At(0xa00);
  EXPECT_EQ(Stack(), "f10");
  Call(0xa10, 0x800, 0x6e00);
  switch_to(1, 0x6d00, 0x4f00);
  EXPECT_EQ(Stack(), "f1 [exception] f7 f8");
  switch_to(2, 0x4f00, 0x6d00);
  EXPECT_EQ(Stack(), "f10 f8");
  // Another thread with the same control block begins elsewhere on its stack.
  switch_to(1, 0x6d00, 0x4800);
  EXPECT_EQ(Stack(), "f8");
  // Another CPU that begins anew has done nothing to those that sleep, unlike the machine.
  CallStacks other(functions_, tree_, sleepers_, {0x100, 0x1000, Level::kUser, 3});
  other.Restart({0x8781, 0, Level::kPal, 0});
  switch_to(2, 0x4700, 0x6d00);
  EXPECT_EQ(Stack(), "f10 f8");
  switch_to(1, 0x6d00, 0x4700);
  sleepers_.Clear();
  switch_to(2, 0x4700, 0x6d00);
  EXPECT_EQ(Stack(), "f8");
}

TEST_F(CallStacksTest, AnewAfterAReset) {
  Call(0x100, 0x200, 0x1000);
  stacks_.Restart({0x8781, 0, Level::kPal, 0});
  At(0x8781);
  EXPECT_EQ(Stack(), "pal135");
}

TEST(CallTreeTest, ANodeIsMadeOnce) {
  CallTree tree;
  std::vector<uint32_t> nodes;
  for (uint32_t i = 0; i < 20'000; ++i) nodes.push_back(tree.Child(i / 3, 10 + i, Level::kUser));
  for (uint32_t i = 0; i < 20'000; ++i) {
    EXPECT_EQ(tree.Child(i / 3, 10 + i, Level::kUser), nodes[i]);
    EXPECT_EQ(tree.nodes()[nodes[i]].parent, i / 3);
  }
  EXPECT_NE(tree.Child(0, 10, Level::kKernel), nodes[0]);
}

}  // namespace
}  // namespace isochron::debug
