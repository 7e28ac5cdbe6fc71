// What an ATAPI drive does with its packets (SFF 8020i, MMC-2).

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "machine/devices/ide/atapi_drive.h"

namespace isochron::machine {
namespace {

// Packets (MMC-2).
constexpr uint8_t kTestUnitReady = 0x00, kRequestSense = 0x03, kInquiry = 0x12, kStartStop = 0x1b,
                  kPreventAllow = 0x1e, kReadCapacity = 0x25, kRead10 = 0x28, kSeek = 0x2b,
                  kReadToc = 0x43, kGetConfiguration = 0x46, kGetEvent = 0x4a, kModeSense = 0x5a,
                  kRead12 = 0xa8, kSetSpeed = 0xbb;

// Sense keys and additional codes.
constexpr uint8_t kNotReady = 2, kIllegalRequest = 5, kUnitAttention = 6;
constexpr uint8_t kUnknownPacket = 0x20, kOutOfRange = 0x21, kBadField = 0x24,
                  kMayHaveChanged = 0x28, kSavingUnsupported = 0x39, kNoMedium = 0x3a,
                  kRemovalPrevented = 0x53;
constexpr uint8_t kTrayOpen = 2;

void AppendNumber(std::string& bytes, uint64_t value, size_t count) {
  for (size_t i = count; i-- > 0;) bytes.push_back(static_cast<char>(value >> (8 * i)));
}

// Text has blanks behind it.
void AppendText(std::string& bytes, std::string_view text, size_t count) {
  bytes.append(text).append(count - text.size(), ' ');
}

}  // namespace

uint32_t AtapiDrive::Field(size_t at, size_t bytes) const {
  uint32_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | packet_[at + i];
  return value;
}

bool AtapiDrive::NeedsDisc(uint8_t code) {
  switch (code) {
    case kTestUnitReady:
    case kReadCapacity:
    case kRead10:
    case kRead12:
    case kSeek:
    case kReadToc: return true;
    default: return false;
  }
}

bool AtapiDrive::GoesBeforeAttention(uint8_t code) {
  return code == kInquiry || code == kRequestSense || code == kGetConfiguration ||
         code == kGetEvent;
}

void AtapiDrive::Execute() {
  const uint8_t code = packet_[0];
  if (attention_ != 0 && !GoesBeforeAttention(code)) {
    return Fail({kUnitAttention, std::exchange(attention_, uint8_t{0}), 0});
  }
  if (is_open_ && NeedsDisc(code)) return Fail({kNotReady, kNoMedium, kTrayOpen});
  const std::string sense = SenseData();
  sense_ = {};
  if (code == kRequestSense) return Reply(sense, packet_[4]);
  switch (code) {
    case kRead10: return BeginRead(Field(2, 4), Field(7, 2));
    case kRead12: return BeginRead(Field(2, 4), Field(6, 4));
    case kSeek:
      if (Field(2, 4) >= blocks()) return Fail({kIllegalRequest, kOutOfRange, 0});
      position_ = Field(2, 4);
      return Finish();
    default: return ExecuteOther(code);
  }
}

void AtapiDrive::ExecuteOther(uint8_t code) {
  switch (code) {
    case kTestUnitReady:
    case kSetSpeed: return Finish();
    case kInquiry:
      if ((packet_[1] & 1) != 0) return Fail({kIllegalRequest, kBadField, 0});
      return Reply(Inquiry(), packet_[4]);
    case kStartStop: return StartStop();
    case kPreventAllow: locked_ = (packet_[4] & 1) != 0; return Finish();
    case kReadCapacity: {
      std::string reply;
      AppendNumber(reply, blocks() - 1, 4);
      AppendNumber(reply, kBlockSize, 4);
      const size_t size = reply.size();
      return Reply(std::move(reply), size);
    }
    case kReadToc: {
      std::string reply = Toc();
      if (reply.empty()) return Fail({kIllegalRequest, kBadField, 0});
      return Reply(std::move(reply), Field(7, 2));
    }
    case kGetConfiguration: return Reply(Configuration(), Field(7, 2));
    case kGetEvent:
      // Only who asks, and is answered at once.
      if ((packet_[1] & 1) == 0) return Fail({kIllegalRequest, kBadField, 0});
      return Reply(Event(), Field(7, 2));
    case kModeSense: {
      if (packet_[2] >> 6 == 3) return Fail({kIllegalRequest, kSavingUnsupported, 0});
      std::string reply = Modes();
      if (reply.empty()) return Fail({kIllegalRequest, kBadField, 0});
      return Reply(std::move(reply), Field(7, 2));
    }
    default: return Fail({kIllegalRequest, kUnknownPacket, 0});
  }
}

void AtapiDrive::StartStop() {
  constexpr uint8_t kStart = 1, kLoadEject = 2;
  const bool starts = (packet_[4] & kStart) != 0;
  if ((packet_[4] & kLoadEject) != 0 && is_open_ == starts) {
    if (!starts && locked_) return Fail({kIllegalRequest, kRemovalPrevented, 2});
    is_open_ = !starts;
    if (starts) attention_ = kMayHaveChanged;
  }
  Finish();
}

void AtapiDrive::BeginRead(uint64_t block, uint64_t count) {
  if (block > blocks() || count > blocks() - block) return Fail({kIllegalRequest, kOutOfRange, 0});
  if (count == 0) return Finish();
  block_ = block;
  left_ = count;
  const uint64_t cycles = ChunkCycles(true);
  if (!dma_) return WaitFor(Phase::kFetch, cycles);
  BeginDma(cycles);
}

void AtapiDrive::Reply(std::string reply, size_t room) {
  reply.resize(std::min(reply.size(), room));
  if (reply.empty()) return Finish();
  if (reply.size() % 2 != 0) reply.push_back('\0');  // a word at a time
  left_ = 0;
  at_ = 0;
  chunk_ = std::move(reply);
  if (!dma_) return OfferData();
  BeginDma(0);
}

std::string AtapiDrive::Inquiry() const {
  std::string reply{0x05, static_cast<char>(0x80), 0x00, 0x21, 31, 0, 0, 0};
  AppendText(reply, "ISOCHRON", 8);
  AppendText(reply, "CD-ROM", 16);
  AppendText(reply, "1.0", 4);
  return reply;
}

std::string AtapiDrive::SenseData() const {
  std::string reply(18, '\0');
  reply[0] = 0x70;
  reply[2] = static_cast<char>(sense_.key);
  reply[7] = 10;
  reply[12] = static_cast<char>(sense_.code);
  reply[13] = static_cast<char>(sense_.qualifier);
  return reply;
}

// Formats 0, the tracks, and 1, the sessions. Empty for others.
std::string AtapiDrive::Toc() const {
  constexpr uint8_t kLeadOut = 0xaa, kFrames = 75, kSeconds = 60, kLeadIn = 150;
  const bool as_time = (packet_[1] & 2) != 0;
  // Old programs have the format at the end.
  const uint8_t format = (packet_[2] & 0xf) != 0 ? packet_[2] & 0xf : packet_[9] >> 6;
  std::string tracks;
  const auto append = [&](uint8_t track, uint64_t block) {
    tracks += std::string{0, 0x14, static_cast<char>(track), 0};  // a track of data
    if (as_time) {
      block += kLeadIn;
      AppendNumber(
          tracks,
          block / kFrames / kSeconds << 16 | block / kFrames % kSeconds << 8 | block % kFrames, 4);
    } else {
      AppendNumber(tracks, block, 4);
    }
  };
  if (format == 0) {
    const uint8_t from = packet_[6];
    if (from > 1 && from != kLeadOut) return "";
    if (from <= 1) append(1, 0);
    append(kLeadOut, blocks());
  } else if (format == 1) {
    append(1, 0);
  } else {
    return "";
  }
  std::string reply;
  AppendNumber(reply, tracks.size() + 2, 2);
  reply += std::string{1, 1};  // first and last
  return reply + tracks;
}

// Pages 1 (errors) and 2a (what the drive can), or both. Empty for others.
std::string AtapiDrive::Modes() const {
  constexpr uint8_t kAll = 0x3f, kErrors = 0x01, kCapabilities = 0x2a;
  constexpr uint64_t kKilobytes = 6000;  // in a second
  const uint8_t page = packet_[2] & 0x3f;
  // What could be changed: nothing.
  const bool changeable = packet_[2] >> 6 == 1;
  std::string pages;
  if (page == kErrors || page == kAll) pages += std::string{kErrors, 6, 0, 5, 0, 0, 0, 0};
  if (page == kCapabilities || page == kAll) {
    std::string capabilities{kCapabilities, 20, 0, 0, 0, 0, 0x29, 0};
    if (locked_) capabilities[6] = 0x2b;
    AppendNumber(capabilities, kKilobytes, 2);
    AppendNumber(capabilities, 0, 2);    // volume levels
    AppendNumber(capabilities, 128, 2);  // KiB of buffer
    AppendNumber(capabilities, kKilobytes, 2);
    capabilities.append(22 - capabilities.size(), '\0');
    pages += capabilities;
  }
  if (pages.empty()) return "";
  if (changeable) {
    for (size_t at = 0; at < pages.size(); at += 2 + static_cast<uint8_t>(pages[at + 1])) {
      std::fill_n(pages.begin() + static_cast<std::ptrdiff_t>(at) + 2, pages[at + 1], '\0');
    }
  }
  std::string reply;
  AppendNumber(reply, 6 + pages.size(), 2);
  reply.push_back(is_open_ ? 0x71 : 0x01);  // the tray is open; a disc of data
  reply.append(5, '\0');
  return reply + pages;
}

std::string AtapiDrive::Configuration() const {
  constexpr uint16_t kCdRomProfile = 0x0008;
  const uint32_t first = Field(2, 2);
  const bool only_that = (packet_[1] & 3) == 2;
  std::string features;
  const auto append = [&](uint16_t code, bool current, const std::string& data) {
    if (code < first || (only_that && code != first)) return;
    AppendNumber(features, code, 2);
    features.push_back(current ? 3 : 2);  // always there
    features.push_back(static_cast<char>(data.size()));
    features += data;
  };
  append(0, true, {0, kCdRomProfile, !is_open_, 0});
  append(1, true, {0, 0, 0, 2});     // the core: ATAPI
  append(3, true, {0x29, 0, 0, 0});  // a tray that locks and ejects
  append(0x1e, !is_open_, {});       // reads CDs
  std::string reply;
  AppendNumber(reply, features.size() + 4, 4);
  AppendNumber(reply, is_open_ ? 0 : kCdRomProfile, 4);
  return reply + features;
}

// Media events alone: nothing happens that has not been asked for.
std::string AtapiDrive::Event() const {
  constexpr uint8_t kMedia = 4, kNone = 0x80;
  if ((packet_[4] & 1 << kMedia) == 0) return {0, 2, static_cast<char>(kNone), 1 << kMedia};
  return {0, 6, kMedia, 1 << kMedia, 0, static_cast<char>(is_open_ ? 1 : 2), 0, 0};
}

}  // namespace isochron::machine
