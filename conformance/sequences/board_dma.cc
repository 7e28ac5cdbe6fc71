#include "conformance/sequences/board_dma.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "alpha/encode.h"
#include "conformance/sequences/board_situations.h"
#include "conformance/sequences/sequence_operands.h"
#include "conformance/sequences/words.h"
#include "machine/bus/pci_function.h"
#include "machine/devices/virtio/virt_queue.h"
#include "machine/devices/virtio/virtio_blk.h"
#include "machine/devices/virtio/virtio_pci.h"
#include "machine/disks/disk.h"

namespace isochron::conformance {
namespace {

using alpha::HwLoadType;
using alpha::HwStoreType;
using alpha::Op;
using machine::PciCommand;
using machine::PciRegister;
using machine::VirtioBlkRequest;
using machine::VirtioLayout;
using machine::VirtioStatus;
using Layout = SequenceLayout;
using namespace alpha::words;  // NOLINT: an assembler

// The driver's code, behind the prelude's; and where programs have nothing its queue, the headers
// of requests, their status.
constexpr uint64_t kDriver = 0xf800;
constexpr uint64_t kQueue = 0x5'0000, kHeaders = 0x5'4000, kStatuses = 0x5'5000;
// A loop that runs while the first request replaces it, until the second one is done.
constexpr uint64_t kLoop = 0x5'8000;
constexpr uint32_t kPending = ~uint32_t{0};  // as status
constexpr uint16_t kQueueSize = 128;
// Where firmware would put the ports.
constexpr uint64_t kDiskPorts = 0x9000;
constexpr uint64_t kPciPorts = 0x801'fc00'0000, kPciConfig = 0x801'fe00'0000;
// DIM0, and PCTL, as it is after a reset and with its monster window, through which the disk sees
// memory.
constexpr uint64_t kPciMasks = 0x801'a000'0200, kPciControl = 0x801'8000'0300,
                   kPciControlValue = 0x0000'1044'0144'00c1;
constexpr uint64_t kDiskSlot = 1, kDiskInterrupt = 8, kIsaInterrupts = 55;
// Flags of descriptors.
constexpr uint32_t kNext = 1, kWrite = 2;
// Registers of the legacy interface.
constexpr uint64_t kFrame = 0x08, kNotify = 0x10, kStatus = 0x12;

class Dma {
 public:
  Dma(Random& random, Sequence& program);

  // Puts requests and driver into the program; what is on the disk.
  std::string Generate();

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  void Put(uint64_t pa, Words words) { program_.segments.push_back({pa, std::move(words)}); }
  // Adds a descriptor.
  void Describe(uint64_t pa, uint64_t bytes, uint32_t flags);
  void AddLoop();
  void AddRequest();
  // Where `bytes` are written, and what comes there.
  std::pair<uint64_t, std::string> Target(uint64_t bytes);
  std::string ChangedCode(uint64_t pa, uint64_t bytes);
  void OfferRequests();
  Words DriverCode() const;

  Random& random_;
  Sequence& program_;
  Words memory_;  // code of the program
  std::string disk_;
  uint32_t descriptors_ = 0;
  Words heads_;  // of the chains of descriptors
};

Dma::Dma(Random& random, Sequence& program)
    : random_(random), program_(program), memory_(Layout::kMemorySize / sizeof(uint32_t)) {
  for (const Segment& segment : program_.segments) {
    for (size_t i = 0; i < segment.words.size(); ++i) {
      const size_t at = segment.pa / sizeof(uint32_t) + i;
      if (at < memory_.size()) memory_[at] = segment.words[i];
    }
  }
}

std::string Dma::ChangedCode(uint64_t pa, uint64_t bytes) {
  std::string code(bytes, '\0');
  for (size_t i = 0; i < bytes; i += sizeof(uint32_t)) {
    uint32_t word = memory_[(pa + i) / sizeof word];
    // Integer operates with a literal.
    const uint32_t opcode = word >> 26;
    const bool literal = opcode >= 0x10 && opcode <= 0x13 && (word >> 12 & 1) != 0;
    if (literal && OneIn(2)) word ^= static_cast<uint32_t>(Below(256)) << 13;
    std::memcpy(code.data() + i, &word, sizeof word);
  }
  return code;
}

std::pair<uint64_t, std::string> Dma::Target(uint64_t bytes) {
  if (heads_.size() == 1) return {kLoop, ChangedCode(kLoop, bytes)};
  constexpr uint64_t kCodePlaces[] = {Layout::kCode, Layout::kCode, kSituations,
                                      kSituationSubroutines};
  if (!OneIn(3)) {
    const uint64_t place = kCodePlaces[Below(std::size(kCodePlaces))];
    const uint64_t pa = place + sizeof(uint32_t) * Below(0x200);
    return {pa, ChangedCode(pa, bytes)};
  }
  std::string data(bytes, '\0');
  for (char& byte : data) byte = static_cast<char>(random_());
  return {Layout::kData + Below(Layout::kDataSize - bytes), data};
}

void Dma::Describe(uint64_t pa, uint64_t bytes, uint32_t flags) {
  const uint32_t next = (flags & kNext) != 0 ? descriptors_ + 1 : 0;
  Put(kQueue + 16 * uint64_t{descriptors_++},
      {static_cast<uint32_t>(pa), 0, static_cast<uint32_t>(bytes), flags | next << 16});
}

// What R6 is at the end depends on every literal that is replaced, and when. R7 counts the turns,
// R4 has the address of what the second request will say, R23 where the program goes on.
void Dma::AddLoop() {
  Words words;
  for (uint64_t count = 1 + Below(30); count != 0; --count) {
    words.push_back(OperateLiteral(Op::kS8addq, 6, static_cast<uint32_t>(Below(256)), 6));
  }
  Append(words, {HwLoad(HwLoadType::kPhysical, 5, 0, 4) & ~kQuadword, MemoryOp(Op::kLda, 7, -1, 7),
                 BranchOp(Op::kBeq, 7, 1)});
  words.push_back(BranchOp(Op::kBlbs, 5, -static_cast<int>(words.size()) - 1));
  words.push_back(HwRet(23));
  for (size_t i = 0; i < words.size(); ++i) memory_[kLoop / sizeof(uint32_t) + i] = words[i];
  Put(kLoop, std::move(words));
}

// Reads sectors to some places, each with what is made for it; or writes some over what comes
// later.
void Dma::AddRequest() {
  const bool reads = heads_.empty() || !OneIn(5);
  const uint64_t bytes = (1 + Below(6)) * machine::kSectorSize;
  const auto sector = static_cast<uint32_t>(disk_.size() / machine::kSectorSize);
  const auto number = static_cast<uint32_t>(heads_.size());
  const uint64_t header = kHeaders + 16 * uint64_t{number};
  heads_.push_back(descriptors_);
  const VirtioBlkRequest type = reads ? VirtioBlkRequest::kIn : VirtioBlkRequest::kOut;
  Put(header, {static_cast<uint32_t>(type), 0, sector, 0});
  Describe(header, 16, kNext);
  constexpr uint64_t kMostParts = 4;
  for (uint64_t left = bytes, parts = 1; left != 0; ++parts) {
    const uint64_t words = left / sizeof(uint32_t);
    const uint64_t part =
        parts == kMostParts || OneIn(2) ? left : sizeof(uint32_t) * (1 + Below(words));
    const auto [pa, contents] = Target(part);
    disk_ += contents;
    Describe(pa, part, reads ? kNext | kWrite : kNext);
    left -= part;
  }
  Put(kStatuses + sizeof kPending * number, {kPending});
  Describe(kStatuses + sizeof kPending * number, 1, kWrite);
}

void Dma::OfferRequests() {
  // No flags, the index, and the heads: numbers of 16 bits.
  std::vector<uint16_t> ring = {0, static_cast<uint16_t>(heads_.size())};
  for (const uint32_t head : heads_) ring.push_back(static_cast<uint16_t>(head));
  ring.resize((ring.size() + 1) & ~size_t{1});
  Words words(ring.size() / 2);
  std::memcpy(words.data(), ring.data(), ring.size() * sizeof(uint16_t));
  Put(machine::VirtQueuePlace::Legacy(kQueue, kQueueSize).driver, std::move(words));
}

// In PALmode, before all else.
Words Dma::DriverCode() const {
  Words words;
  const auto put_quadword = [&words](uint64_t pa, uint64_t value) {
    AppendConstant(4, pa, words);
    AppendConstant(5, value, words);
    words.push_back(HwStore(HwStoreType::kPhysical, 5, 0, 4));
  };
  const auto put = [&](uint64_t pa, uint64_t value) {
    put_quadword(pa, value);
    words.back() &= ~kQuadword;
  };
  put_quadword(kPciControl, kPciControlValue);
  const uint64_t config = kPciConfig + (kDiskSlot << 11);
  put(config + PciRegister::kBar0, kDiskPorts);
  put(config + PciRegister::kCommand, PciCommand::kIo | PciCommand::kMemory | PciCommand::kMaster);
  put(kPciPorts + kDiskPorts + kFrame, kQueue >> 12);
  // Registers that are no longwords, by way of configuration space.
  constexpr uint64_t kBytesOffset = 8, kBytesSize = 12, kBytes = 16;
  const uint64_t access = config + VirtioLayout::kAccessCapability;
  const auto put_small = [&](uint64_t offset, uint64_t size, uint64_t value) {
    put(access + kBytesOffset, offset);
    put(access + kBytesSize, size);
    put(access + kBytes, value);
  };
  put_small(kStatus, 1,
            VirtioStatus::kAcknowledge | VirtioStatus::kDriver | VirtioStatus::kDriverOk);
  put_small(kNotify, 2, 0);
  put_quadword(kPciMasks, uint64_t{1} << kIsaInterrupts | uint64_t{1} << kDiskInterrupt);
  Append(words, {MemoryOp(Op::kLda, 7, 2000, 31), MemoryOp(Op::kLda, 6, 1, 31)});
  AppendConstant(4, kStatuses + sizeof kPending, words);
  AppendConstant(23, program_.pc, words);
  AppendConstant(22, kLoop | 1, words);
  words.push_back(HwRet(22));
  return words;
}

std::string Dma::Generate() {
  AddLoop();
  for (uint64_t requests = 3 + Below(10); requests != 0; --requests) AddRequest();
  OfferRequests();
  Put(kDriver, DriverCode());
  program_.pc = kDriver | 1;
  program_.ier |= uint64_t{1} << 34;  // EI<1>: what DRIR asks for
  return std::move(disk_);
}

}  // namespace

std::string AddDma(Random& random, Sequence& program) { return Dma(random, program).Generate(); }

}  // namespace isochron::conformance
