#include "cli/host/gdb_socket.h"

#include <string>

#include "gtest/gtest.h"

namespace isochron::cli {
namespace {

using Kind = GdbTarget::Kind;

void ExpectTarget(const std::string& text, Kind kind, const std::string& address,
                  const std::string& port) {
  const absl::StatusOr<GdbTarget> target = ParseGdbTarget(text);
  ASSERT_TRUE(target.ok()) << text << ": " << target.status();
  EXPECT_EQ(target->kind, kind) << text;
  EXPECT_EQ(target->address, address) << text;
  EXPECT_EQ(target->port, port) << text;
}

TEST(GdbTarget, IsAPortAPathOrStandardInput) {
  ExpectTarget("-", Kind::kStdio, "", "");
  ExpectTarget("unix:/tmp/a:1", Kind::kUnix, "/tmp/a:1", "");
  // The loopback unless it is told.
  ExpectTarget("1234", Kind::kTcp, "127.0.0.1", "1234");
  ExpectTarget(":0", Kind::kTcp, "127.0.0.1", "0");
  ExpectTarget("0.0.0.0:65535", Kind::kTcp, "0.0.0.0", "65535");
  ExpectTarget("[::1]:80", Kind::kTcp, "::1", "80");
}

TEST(GdbTarget, IsNothingElse) {
  for (const char* wrong :
       {"", "unix:", "here", "65536", "1.5", "-1", "host:", "host:port", " 1"}) {
    EXPECT_FALSE(ParseGdbTarget(wrong).ok()) << wrong;
  }
}

TEST(GdbSocket, SaysWhereItIs) {
  hostio::StopSignals signals;
  const auto socket = GdbSocket::Open({Kind::kTcp, "127.0.0.1", "0"}, signals);
  ASSERT_TRUE(socket.ok()) << socket.status();
  const absl::StatusOr<GdbTarget> bound = ParseGdbTarget((*socket)->where());
  ASSERT_TRUE(bound.ok()) << (*socket)->where();
  EXPECT_EQ(bound->address, "127.0.0.1");
  EXPECT_NE(bound->port, "0");
  // Somebody else listens there.
  EXPECT_FALSE(GdbSocket::Open(*bound, signals).ok());
  signals.Release();
}

}  // namespace
}  // namespace isochron::cli
