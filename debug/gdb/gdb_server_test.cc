#include "debug/gdb/gdb_server.h"

#include <string>
#include <vector>

#include "debug/gdb/fake_debuggee.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isochron::debug {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

StopReport Because(StopReport::Reason reason, int cpu = 0) {
  StopReport report;
  report.reason = reason;
  report.cpu = cpu;
  return report;
}

class GdbServerTest : public ::testing::Test {
 protected:
  // Sends packets, the client of each being told of what came of the one before it, and returns
  // the payloads that came back.
  std::vector<std::string> Ask(const std::vector<std::string>& packets) {
    FakeConnection connection;
    for (const std::string& packet : packets) connection.pieces.push_back(FramePacket(packet));
    return Serve(connection);
  }
  std::string AskOne(const std::string& packet) {
    const std::vector<std::string> replies = Ask({packet});
    return replies.size() == 1 ? replies.front() : "not one reply";
  }
  std::vector<std::string> Serve(FakeConnection& connection) {
    GdbServer server(debuggee_, connection);
    status_ = server.Serve();
    killed_ = server.killed();
    sent_ = connection.sent;
    PacketReader reader;
    reader.Feed(sent_);
    std::vector<std::string> replies;
    while (std::optional<ClientItem> item = reader.Next()) {
      if (item->kind == ClientItem::Kind::kPacket) replies.push_back(item->payload);
    }
    return replies;
  }
  // A stop's answer up to the registers.
  std::string Stop(const std::string& packet) {
    const std::string reply = Ask({"qSupported:swbreak+;hwbreak+", packet}).back();
    return reply.substr(0, reply.find("1e:"));
  }

  FakeDebuggee debuggee_;
  absl::Status status_;
  bool killed_ = false;
  std::string sent_;
};

TEST_F(GdbServerTest, SaysWhatItCan) {
  EXPECT_EQ(AskOne("qSupported:multiprocess+;swbreak+"),
            "PacketSize=4000;QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+;ReverseStep+;"
            "ReverseContinue+;qXfer:features:read+;qXfer:memory-map:read+");
  EXPECT_EQ(AskOne("vCont?"), "vCont;c;C;s;S;r");
  for (const char* unknown : {"vMustReplyEmpty", "qNobodyKnows", "", "ghost", "bx", "Z9,0,4"}) {
    EXPECT_EQ(AskOne(unknown), "") << unknown;
  }
}

TEST_F(GdbServerTest, ShowsAThreadForEachCpu) {
  EXPECT_THAT(Ask({"qfThreadInfo", "qsThreadInfo", "qC", "T2", "Hg2", "qC", "qThreadExtraInfo,2"}),
              ElementsAre("m1,2", "l", "QC1", "OK", "OK", "QC2", ToHex("CPU 1")));
  EXPECT_THAT(AskOne("T3"), StartsWith("E"));
  EXPECT_THAT(AskOne("Hg3"), StartsWith("E"));
  EXPECT_THAT(AskOne("H"), StartsWith("E"));
  EXPECT_THAT(Ask({"Hg0", "Hc-1", "qAttached"}), ElementsAre("OK", "OK", "1"));
}

TEST_F(GdbServerTest, ReadsRegisters) {
  EXPECT_EQ(AskOne("p40"), "4000000000000000");
  EXPECT_EQ(AskOne("p41"), "xxxxxxxxxxxxxxxx");
  EXPECT_EQ(Ask({"Hg2", "p1f"}).back(), "1f00000001000000");
  EXPECT_THAT(AskOne("p43"), StartsWith("E"));
  EXPECT_THAT(AskOne("p"), StartsWith("E"));
  const std::string all = AskOne("g");
  EXPECT_EQ(all.size(), 67u * 16);
  EXPECT_EQ(all.substr(0x40 * 16, 16), "4000000000000000");
}

TEST_F(GdbServerTest, ReadsMemoryAsFarAsThereIsAny) {
  EXPECT_EQ(AskOne("m1000,3"), ToHex("iso"));
  EXPECT_EQ(AskOne("m1006,8"), ToHex("on"));
  EXPECT_EQ(AskOne("m1000,ffffffffffffffff"), ToHex("isochron"));
  for (const char* refused : {"m1008,1", "m0,1", "mffffffffffffffff,8", "m1000", "m,", "m1000,g"}) {
    EXPECT_THAT(AskOne(refused), StartsWith("E")) << refused;
  }
}

TEST_F(GdbServerTest, RefusesToChangeARecording) {
  EXPECT_EQ(AskOne("P40=0000000000000000"), "E.it is a recording");
  EXPECT_EQ(AskOne("M1000,1:00"), "E.it is a recording");
  // Nothing is changed.
  EXPECT_EQ(AskOne("G" + AskOne("g")), "OK");
  EXPECT_EQ(AskOne("X1000,0:"), "OK");
  // gdb has its own words for memory; ours come as soon as it listens.
  EXPECT_THAT(Ask({std::string("X1000,2:\0#", 10), "c"}),
              ElementsAre("E.it is a recording", "O" + ToHex("it is a recording\n"),
                          StartsWith("T05thread:1;")));
  for (const char* wrong : {"P", "P40", "P40=00", "P43=0000000000000000", "G00", "M1000,2:00",
                            "X1000,2:a", "M1000", "G"}) {
    EXPECT_THAT(AskOne(wrong), StartsWith("E")) << wrong;
  }
}

TEST_F(GdbServerTest, GoesOn) {
  Ask({"vCont;s:2;c", "vCont;c", "vCont;r10,20:1", "vCont;C05", "c", "s", "bs", "bc", "Hc2", "s"});
  using Kind = Resume::Kind;
  EXPECT_THAT(debuggee_.resumes,
              ElementsAre(Resume{Kind::kStep, false, 1}, Resume{Kind::kContinue},
                          Resume{Kind::kRange, false, 0, 0x10, 0x20}, Resume{Kind::kContinue},
                          Resume{Kind::kContinue}, Resume{Kind::kStep}, Resume{Kind::kStep, true},
                          Resume{Kind::kContinue, true}, Resume{Kind::kStep, false, 1}));
  debuggee_.resumes.clear();
  for (const char* wrong : {"vCont;", "vCont;t", "vCont;s:9", "vCont;r10", "c1000", "szz"}) {
    EXPECT_THAT(AskOne(wrong), StartsWith("E")) << wrong;
  }
  EXPECT_THAT(debuggee_.resumes, IsEmpty());
}

TEST_F(GdbServerTest, SaysWhyItStopped) {
  const auto stopped = [this](StopReport report) {
    debuggee_.stops = {std::move(report)};
    return Stop("vCont;c");
  };
  using Reason = StopReport::Reason;
  using Kind = Stoppoint::Kind;
  EXPECT_EQ(stopped({}), "T05thread:1;");
  EXPECT_EQ(stopped(Because(Reason::kStepped, 1)), "T05thread:2;");
  EXPECT_EQ(stopped(Because(Reason::kBegin)), "T05thread:1;replaylog:begin;");
  EXPECT_EQ(stopped(Because(Reason::kEnd)), "T05thread:1;replaylog:end;");
  EXPECT_EQ(stopped(Because(Reason::kInterrupted)), "T02thread:1;");
  const auto at = [](Kind kind) {
    StopReport report = Because(Reason::kStoppoint);
    report.stoppoint = Stoppoint{kind, 0x1000, 4};
    report.address = 0x1002;
    return report;
  };
  EXPECT_EQ(stopped(at(Kind::kSoftwareBreakpoint)), "T05thread:1;swbreak:;");
  EXPECT_EQ(stopped(at(Kind::kHardwareBreakpoint)), "T05thread:1;hwbreak:;");
  EXPECT_EQ(stopped(at(Kind::kWrite)), "T05thread:1;watch:1002;");
  EXPECT_EQ(stopped(at(Kind::kRead)), "T05thread:1;rwatch:1002;");
  EXPECT_EQ(stopped(at(Kind::kAccess)), "T05thread:1;awatch:1002;");
  // Who does not know the words does not get them.
  debuggee_.stops = {at(Kind::kSoftwareBreakpoint)};
  EXPECT_EQ(AskOne("c"), "T05thread:1;1e:1e00000000000000;40:4000000000000000;");
}

TEST_F(GdbServerTest, ShowsMessagesBeforeTheStop) {
  StopReport report;
  report.message = "look\n";
  debuggee_.stops = {report};
  EXPECT_THAT(Ask({"c", "?"}),
              ElementsAre("O" + ToHex("look\n"), StartsWith("T05"), StartsWith("T05thread:1;1e:")));
}

TEST_F(GdbServerTest, PutsStoppointsAndTakesThemAway) {
  EXPECT_THAT(Ask({"Z0,1000,4", "Z1,2000,4", "Z2,3000,10", "z1,2000,4"}),
              ElementsAre("OK", "OK", "OK", "OK"));
  EXPECT_THAT(debuggee_.stoppoints,
              ElementsAre(Stoppoint{Stoppoint::Kind::kSoftwareBreakpoint, 0x1000, 4},
                          Stoppoint{Stoppoint::Kind::kWrite, 0x3000, 0x10}));
  EXPECT_EQ(AskOne("Z2,3000,0"), "E.it has no bytes");
  for (const char* wrong : {"Z", "Z0", "Z0,", "Z0,1000", "Z0,1000,4;X1,00", "z3,x,4"}) {
    EXPECT_THAT(AskOne(wrong), StartsWith("E")) << wrong;
  }
}

TEST_F(GdbServerTest, DescribesTheTarget) {
  EXPECT_THAT(AskOne("qXfer:features:read:target.xml:0,ffff"),
              HasSubstr("<architecture>alpha</architecture>"));
  EXPECT_THAT(AskOne("qXfer:features:read:target.xml:0,5"), "m<?xml");
  EXPECT_EQ(AskOne("qXfer:features:read:other.xml:0,5"), "E00");
  EXPECT_THAT(AskOne("qXfer:memory-map:read::0,fff"), StartsWith("l<?xml"));
  EXPECT_EQ(AskOne("qXfer:memory-map:read::ffffff,fff"), "E01");
  EXPECT_EQ(AskOne("qXfer:memory-map:read::"), "E01");
}

TEST_F(GdbServerTest, TakesMonitorCommands) {
  EXPECT_THAT(Ask({"qRcmd," + ToHex("when")}), ElementsAre("O" + ToHex("heard when\n"), "OK"));
  EXPECT_EQ(AskOne("qRcmd,4"), "E01");
}

TEST_F(GdbServerTest, StopsAtCtrlCWhileItRuns) {
  FakeConnection connection;
  connection.pieces = {FramePacket("vCont;c"), "\x03", FramePacket("g")};
  EXPECT_THAT(Serve(connection), ElementsAre(StartsWith("T02"), testing::SizeIs(67 * 16)));
  // What comes while it runs is answered after that, but for a Ctrl-C that comes too late.
  connection.pieces = {FramePacket("vCont;c"), "", FramePacket("?") + "\x03" + FramePacket("?")};
  EXPECT_THAT(Serve(connection).back(), StartsWith("T02"));
}

TEST_F(GdbServerTest, KillsWhatCannotBeginAnewForGood) {
  EXPECT_THAT(Ask({"k", "qC"}), IsEmpty());
  EXPECT_TRUE(killed_);
  EXPECT_THAT(Ask({"!", "k", "qC"}), ElementsAre("OK", "QC1"));
  EXPECT_FALSE(killed_);
  EXPECT_THAT(Ask({"D"}), ElementsAre("OK"));
  EXPECT_FALSE(killed_);
  debuggee_.live = true;
  EXPECT_THAT(Ask({"!", "k", "qC"}), ElementsAre("OK"));
  EXPECT_TRUE(killed_);
  EXPECT_THAT(Ask({"!", "vKill;1", "qC"}), ElementsAre("OK", "OK"));
  EXPECT_TRUE(killed_);
}

TEST_F(GdbServerTest, Ends) {
  EXPECT_THAT(Ask({"D", "g"}), ElementsAre("OK"));
  EXPECT_THAT(Ask({"D;1", "g"}), ElementsAre("OK"));
  EXPECT_THAT(Ask({"vKill;1", "g"}), ElementsAre("OK"));
  EXPECT_THAT(Ask({"k", "g"}), IsEmpty());
  EXPECT_TRUE(status_.ok());
}

TEST_F(GdbServerTest, BeginsAnew) {
  EXPECT_THAT(Ask({"!", "vRun;", "R00"}), ElementsAre("OK", StartsWith("T05")));
  EXPECT_EQ(debuggee_.restarts, 2);
  // As `run` does, and `kill`, of a target that is extended.
  EXPECT_THAT(Ask({"!", "vKill;1", "vRun;", "k", "qC", "D", "qC"}),
              ElementsAre("OK", "OK", StartsWith("T05"), "QC1", "OK"));
}

TEST_F(GdbServerTest, AsksForDamagedPacketsAgain) {
  FakeConnection connection;
  connection.pieces = {"$g#00" + FramePacket("qC")};
  EXPECT_THAT(Serve(connection), ElementsAre("QC1"));
  EXPECT_THAT(sent_, StartsWith("-+$"));
  connection.pieces = {FramePacket("qC"), "-"};
  connection.sent.clear();
  EXPECT_THAT(Serve(connection), ElementsAre("QC1", "QC1"));
}

TEST_F(GdbServerTest, AnswersPacketsThatAreTooLong) {
  EXPECT_EQ(AskOne(std::string(PacketReader::kMaxPacket + 1, 'g')),
            "E.a packet has at most 16384 bytes");
}

TEST_F(GdbServerTest, LeavesAClientThatDoesNotAcknowledgeAndSendsNonsense) {
  FakeConnection connection;
  connection.pieces = {FramePacket("QStartNoAckMode"), FramePacket("qC"), "$g#00",
                       FramePacket("qC")};
  EXPECT_THAT(Serve(connection), ElementsAre("OK", "QC1"));
  EXPECT_EQ(sent_, "+$OK#9a$QC1#c5");
  EXPECT_FALSE(status_.ok());
}

}  // namespace
}  // namespace isochron::debug
