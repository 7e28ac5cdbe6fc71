// Linux makes a file system on a disk behind each interface and finds there again what it wrote, on
// every engine alike. Needs the guests linux-disk and initrd of scripts/build-guests.

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "conformance/guests/guest_run.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "hostio/image_file.h"
#include "hostio/sanitizers.h"
#include "machine/disks/disk_testing.h"
#include "machine/machine.h"

namespace isochron::conformance {
namespace {

constexpr uint64_t kDiskBytes = uint64_t{48} << 20;
constexpr uint64_t kCycles = 20'000'000'000;  // half a minute of the guest's

using Interface = machine::DiskConfig::Interface;

// What runs instead of the initrd's /init.
constexpr std::string_view kProgram = R"sh(#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir /mnt
[ -e /dev/vdb ] && disk=vdb && cat /sys/block/vdb/serial
[ -e /dev/sdb ] && disk=sdb && cat /sys/block/sdb/device/model
mke2fs -F /dev/$disk >/dev/null && mount -t ext2 /dev/$disk /mnt || echo "no file system"
dd if=/dev/urandom of=/mnt/a bs=65536 count=32 2>/dev/null
cp /bin/busybox /mnt/b
before=$(md5sum /mnt/a /mnt/b)
umount /mnt
echo 3 >/proc/sys/vm/drop_caches
mount -t ext2 -o ro /dev/$disk /mnt
[ "$before" = "$(md5sum /mnt/a /mnt/b)" ] && cmp /bin/busybox /mnt/b && echo "It is all there."
umount /mnt
dd if=/dev/zero of=/dev/$disk bs=512 seek=98303 count=2 2>&1 | grep -c 'No space'
poweroff -f
)sh";

// The directory of a guest, empty when it is not built.
std::string GuestPath(const std::string& name) {
  const std::string command =
      absl::StrCat(ISOCHRON_SOURCE_DIR, "/scripts/build-guests --path ", name, " 2>/dev/null");
  FILE* const pipe = popen(command.c_str(), "r");
  std::string path;
  std::array<char, 4096> line;
  if (pipe != nullptr && fgets(line.data(), line.size(), pipe) != nullptr) path = line.data();
  const bool found = pipe != nullptr && pclose(pipe) == 0;
  while (path.ends_with('\n')) path.pop_back();
  return found ? path : "";
}

// An entry of a cpio archive in the format that Linux calls newc (buffer-format.rst).
std::string CpioEntry(const std::string& name, std::string_view contents) {
  const auto padded = [](std::string text) {
    text.resize((text.size() + 3) / 4 * 4);
    return text;
  };
  constexpr int kMode = 0100755;
  const std::string header =
      absl::StrFormat("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, kMode, 0, 0,
                      1, 0, contents.size(), 0, 0, 0, 0, name.size() + 1, 0);
  return padded(absl::StrCat(header, name, std::string(1, '\0'))) + padded(std::string(contents));
}

struct Outcome {
  std::string transcript;
  std::string digest;
};

// The file system is on the second of two disks. `option`: of the kernel.
std::optional<Outcome> RunOn(const std::string& engine, const std::string& option,
                             Interface interface = Interface::kVirtio) {
  const std::string kernel = GuestPath("linux-disk"), initrd = GuestPath("initrd");
  if (kernel.empty() || initrd.empty()) return std::nullopt;
  machine::BootImages images;
  images.kernel = *machine::ParseKernel(*hostio::ReadImageFile(kernel + "/vmlinux"));
  // Linux unpacks one archive after the other.
  images.initrd = CpioEntry("disk-test", kProgram) + CpioEntry("TRAILER!!!", "") +
                  *hostio::ReadImageFile(initrd + "/initrd.cpio.gz");
  machine::MachineConfig config;
  config.command_line = absl::StrCat("console=ttyS0 quiet rdinit=/disk-test ", option);
  for (const uint64_t bytes : {uint64_t{1} << 20, kDiskBytes}) {
    images.disks.push_back(std::make_shared<machine::ZeroContents>(bytes));
    config.disks.push_back({.interface = interface, .bytes = bytes});
  }
  std::unique_ptr<machine::Machine> machine =
      *machine::Machine::Create(config, std::move(images), engines::FindEngine(engine)->factory);
  Transcript transcript;
  machine->SetConsoleSink(&transcript);
  if (!PowersOffBefore(*machine, kCycles)) return Outcome{transcript.text(), "still running"};
  return Outcome{transcript.text(), machine->StateDigest().ToString()};
}

// `name`: what Linux calls the disk.
void ExpectAllIsThere(const Outcome& outcome, const std::string& name = "isochron-1") {
  EXPECT_NE(outcome.transcript.find(name), std::string::npos) << outcome.transcript;
  EXPECT_NE(outcome.transcript.find("It is all there."), std::string::npos) << outcome.transcript;
  EXPECT_NE(outcome.digest, "still running");
}

constexpr const char* kNotBuilt = "not built: scripts/build-guests linux-disk initrd";

// The sanitizers see as much of the devices on the engine that they slow down least.
std::vector<std::string> Engines() {
  std::vector<std::string> engines = engines::EngineNames();
  if (hostio::kAddressSanitizer) engines = {engines.back()};
  return engines;
}

void WriteAndReadOnEveryEngine(Interface interface, const std::string& name) {
  std::optional<Outcome> first;
  for (const std::string& engine : Engines()) {
    SCOPED_TRACE(engine);
    const std::optional<Outcome> outcome = RunOn(engine, "", interface);
    if (!outcome.has_value()) GTEST_SKIP() << kNotBuilt;
    ExpectAllIsThere(*outcome, name);
    if (!first.has_value()) first = outcome;
    EXPECT_EQ(outcome->transcript, first->transcript);
    EXPECT_EQ(outcome->digest, first->digest);
  }
}

TEST(LinuxDisk, WhatWasWrittenIsThereAgainOnEveryEngine) {
  WriteAndReadOnEveryEngine(Interface::kVirtio, "isochron-1");
}

// Device 1 of the first channel.
TEST(LinuxDisk, ItIsThereAgainOnAnIdeDiskToo) {
  WriteAndReadOnEveryEngine(Interface::kIde, "ISOCHRON HARDDIS");
}

TEST(LinuxDisk, ALegacyDriverFindsItToo) {
  const std::optional<Outcome> outcome =
      RunOn(engines::EngineNames().back(), "virtio_pci.force_legacy=1");
  if (!outcome.has_value()) GTEST_SKIP() << kNotBuilt;
  ExpectAllIsThere(*outcome);
}

}  // namespace
}  // namespace isochron::conformance
