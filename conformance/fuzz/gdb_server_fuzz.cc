// Sends arbitrary bytes to the gdb stub of a machine that is none: it ends when they do, and
// whatever it answers is packets.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "debug/gdb/fake_debuggee.h"
#include "debug/gdb/gdb_server.h"
#include "debug/gdb/packet_reader.h"

namespace isochron::debug {
namespace {

void Serve(std::string_view bytes) {
  FakeDebuggee debuggee;
  FakeConnection connection;
  // The first byte says in which pieces the others come.
  const size_t piece = bytes.empty() ? 1 : static_cast<uint8_t>(bytes[0]) + size_t{1};
  for (size_t at = 1; at < bytes.size(); at += piece) {
    connection.pieces.emplace_back(bytes.substr(at, piece));
  }
  (void)GdbServer(debuggee, connection).Serve();
  PacketReader reader;
  reader.Feed(connection.sent);
  while (const std::optional<ClientItem> item = reader.Next()) {
    const bool sendable = item->kind == ClientItem::Kind::kPacket ||
                          item->kind == ClientItem::Kind::kAcknowledge ||
                          item->kind == ClientItem::Kind::kRepeat;
    if (!sendable) std::abort();
  }
}

}  // namespace
}  // namespace isochron::debug

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  isochron::debug::Serve(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
