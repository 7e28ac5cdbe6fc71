#include "cli/host/host_queue.h"

#include <poll.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli/host/cycle_limit.h"

namespace isochron::cli {
namespace {

using machine::Input;
using machine::InputKind;
using machine::StopCause;

bool IsReadable(int fd) {
  pollfd state = {fd, POLLIN, 0};
  return poll(&state, 1, 0) == 1;
}

TEST(HostQueue, KeepsTheOrderOfBytesAndBoundsWhatOnePointTakes) {
  HostQueue queue;
  const std::string typed = std::string(HostQueue::kBytesPerPoint, 'a') + "b";
  queue.PushConsole(typed.substr(0, 10));
  queue.PushConsole(typed.substr(10));
  std::vector<Input> inputs;
  queue.Poll({}, inputs);
  queue.Poll({}, inputs);
  queue.Poll({}, inputs);
  ASSERT_EQ(inputs.size(), 2u);
  EXPECT_EQ(inputs[0].bytes + inputs[1].bytes, typed);
  EXPECT_EQ(inputs[1].bytes, "b");
}

TEST(HostQueue, AStopOvertakesWaitingBytes) {
  HostQueue queue;
  queue.PushConsole(std::string(1000, 'a'));
  EXPECT_FALSE(IsReadable(queue.stop_event().fd()));
  queue.PushStop(StopCause::kSignal, 15);
  EXPECT_TRUE(IsReadable(queue.stop_event().fd()));
  std::vector<Input> inputs;
  queue.Poll({}, inputs);
  ASSERT_EQ(inputs.size(), 2u);
  EXPECT_EQ(inputs[1].kind, InputKind::kStop);
  EXPECT_EQ(inputs[1].cause, StopCause::kSignal);
  EXPECT_EQ(inputs[1].detail, 15u);
}

TEST(HostQueue, HoldsAFewFramesAndGivesThemAtARate) {
  HostQueue queue;
  const std::string frame(60, 'f');
  for (size_t i = 0; i < HostQueue::kFrameCapacity; ++i) EXPECT_TRUE(queue.PushFrame(frame));
  EXPECT_FALSE(queue.HasFrameRoom());
  EXPECT_FALSE(queue.PushFrame(frame));
  std::vector<Input> inputs;
  const uint64_t late = 1000 * HostQueue::kFrameInterval;
  queue.PollFrames({.cycle = late}, 3, inputs);
  EXPECT_EQ(inputs.size(), 3u);
  EXPECT_EQ(inputs[0], Input::Frame(frame));
  EXPECT_TRUE(IsReadable(queue.frame_room_event().fd()));
  queue.PollFrames({.cycle = late}, 64, inputs);
  EXPECT_EQ(inputs.size(), HostQueue::kFramesPerInterval);
  queue.PollFrames({.cycle = late + 1}, 64, inputs);
  EXPECT_EQ(inputs.size(), HostQueue::kFramesPerInterval);
  queue.PollFrames({.cycle = late + HostQueue::kFrameInterval / 2}, 64, inputs);
  EXPECT_EQ(inputs.size(), HostQueue::kFramesPerInterval * 3 / 2);
  // They are not among what a replay gives up for.
  std::vector<Input> others;
  queue.Poll({}, others);
  EXPECT_TRUE(others.empty());
}

TEST(HostQueue, KeepsBreaksAndPortsInOrder) {
  HostQueue queue;
  queue.PushConsole("a");
  queue.PushBreak(machine::Port::Uart(0));
  queue.PushConsole("b");
  queue.PushBytes(machine::Port::Uart(1), "c");
  std::vector<Input> inputs;
  queue.Poll({}, inputs);
  ASSERT_EQ(inputs.size(), 4u);
  EXPECT_EQ(inputs[0].bytes, "a");
  EXPECT_EQ(inputs[1].kind, InputKind::kBreak);
  EXPECT_EQ(inputs[2].bytes, "b");
  EXPECT_EQ(inputs[3].bytes, "c");
  EXPECT_EQ(inputs[3].port, machine::Port::Uart(1));
}

TEST(HostQueue, ManyBreaksArriveOverManyPoints) {
  HostQueue queue;
  for (int i = 0; i < 40; ++i) queue.PushBreak(machine::Port::Uart(1));
  queue.PushStop(StopCause::kQuit);
  for (size_t expected : {17u, 16u, 8u, 0u}) {
    std::vector<Input> inputs;
    queue.Poll({}, inputs);
    EXPECT_EQ(inputs.size(), expected);
  }
  EXPECT_TRUE(queue.HasRoom());
}

TEST(HostQueue, SaysWhenThereIsRoomAgain) {
  HostQueue queue;
  queue.PushConsole(std::string(HostQueue::kCapacity, 'a'));
  EXPECT_FALSE(queue.HasRoom());
  EXPECT_FALSE(IsReadable(queue.room_event().fd()));
  std::vector<Input> inputs;
  queue.Poll({}, inputs);
  EXPECT_TRUE(queue.HasRoom());
  EXPECT_TRUE(IsReadable(queue.room_event().fd()));
}

TEST(HostQueue, DoesNotWaitWhenThereIsInput) {
  HostQueue queue;
  queue.PushConsole("x");
  queue.WaitForInput(std::chrono::hours(1));
}

TEST(CycleLimit, EndsTheRunAtOrPastTheLimit) {
  CycleLimit limit(100);
  std::vector<Input> inputs;
  limit.Poll(machine::InputPoint{99}, inputs);
  EXPECT_TRUE(inputs.empty());
  limit.Poll(machine::InputPoint{100}, inputs);
  ASSERT_EQ(inputs.size(), 1u);
  EXPECT_EQ(inputs[0].cause, StopCause::kCycleLimit);
}

}  // namespace
}  // namespace isochron::cli
