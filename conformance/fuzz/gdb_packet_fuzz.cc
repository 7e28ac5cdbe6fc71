// Reads arbitrary bytes as what a client of the gdb stub sends: no more is kept than a packet may
// have, it makes no difference in which pieces the bytes come, and what has been read is read again
// from what we frame.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "debug/gdb/packet_reader.h"

namespace isochron::debug {
namespace {

std::vector<ClientItem> Read(std::string_view bytes, size_t piece) {
  PacketReader reader;
  std::vector<ClientItem> items;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.Feed(bytes.substr(at, piece));
    // Acknowledgements of different pieces are not joined.
    while (std::optional<ClientItem> item = reader.Next()) {
      if (item->kind != ClientItem::Kind::kAcknowledge) items.push_back(*std::move(item));
    }
  }
  return items;
}

void ReadPackets(std::string_view bytes) {
  const std::vector<ClientItem> items = Read(bytes, bytes.size() + 1);
  if (Read(bytes, 1) != items) std::abort();
  for (const ClientItem& item : items) {
    if (item.kind != ClientItem::Kind::kPacket) continue;
    if (item.payload.size() > PacketReader::kMaxPacket) std::abort();
    const std::string framed = FramePacket(item.payload);
    // Bytes that were sent as they are may need an escape now.
    if (framed.size() - 4 > PacketReader::kMaxPacket) continue;
    if (Read(framed, 7) != std::vector<ClientItem>{item}) std::abort();
    if (FromHex(ToHex(item.payload)) != item.payload) std::abort();
    std::string_view number = item.payload;
    (void)TakeHexNumber(number);
  }
}

}  // namespace
}  // namespace isochron::debug

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  isochron::debug::ReadPackets(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
