#include "replaylog/event.h"

#include "gtest/gtest.h"

namespace isochron::replaylog {
namespace {

TEST(EventTest, OutputOfTheMachineIsARunOfOneByte) {
  const Event logged = ToLogEvent({70, 0, machine::OutputEvent{1, 0xc3}});
  EXPECT_EQ(logged, (Event{0, 70, 0, OutputRun{1, "\xc3", {}}}));
  EXPECT_EQ(logged.last_cycle(), 70u);
}

TEST(EventTest, OtherEventsOfTheMachineStayWhatTheyAre) {
  const machine::InputEvent input{machine::Input::Console("ls")};
  EXPECT_EQ(ToLogEvent({5, 0, input}), (Event{0, 5, 0, input}));
  EXPECT_TRUE(ToLogEvent({5, 0, input}).is_input());
  EXPECT_EQ(ToLogEvent({6, 3, InterruptEvent{1}}), (Event{0, 6, 3, InterruptEvent{1}}));
  EXPECT_EQ(ToLogEvent({7, 0, CheckpointEvent{9, {1, 2}}}),
            (Event{0, 7, 0, CheckpointEvent{9, {1, 2}}}));
  const EndEvent end{machine::RunEnd::Kind::kStopped, 9, {1, 2}};
  EXPECT_EQ(ToLogEvent({8, 0, end}), (Event{0, 8, 0, end}));
  EXPECT_FALSE(ToLogEvent({8, 0, end}).is_input());
}

TEST(EventTest, InputsAreComparedByWhatTheirKindGivesAMeaning) {
  machine::Input stop = machine::Input::Stop(machine::StopCause::kSignal, 15);
  machine::Input same = stop;
  same.bytes = "of no meaning";
  EXPECT_EQ(stop, same);
  same.detail = 2;
  EXPECT_FALSE(stop == same);
  EXPECT_FALSE(machine::Input::Break(machine::Port::Uart(0)) ==
               machine::Input::Break(machine::Port::Uart(1)));
  EXPECT_FALSE(machine::Input::Console("a") == machine::Input::Console("b"));
}

}  // namespace
}  // namespace isochron::replaylog
