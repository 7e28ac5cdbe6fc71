// What a disk held at power-on.

#ifndef ISOCHRON_MACHINE_DISKS_DISK_CONTENTS_H_
#define ISOCHRON_MACHINE_DISKS_DISK_CONTENTS_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "machine/events/config.h"

namespace isochron::machine {

// What a disk held at power-on: fixed while a machine runs, and a part of what defines the run.
// Files of the host stand behind it, outside machine/. Several machines may share it, on threads of
// their own.
class DiskContents {
 public:
  virtual ~DiskContents() = default;
  // Bytes, a multiple of kSectorSize.
  virtual uint64_t size() const = 0;
  // Fills `bytes` with those from `offset` on, all of which lie inside. Errors are the host's and
  // name the file.
  virtual absl::Status Read(uint64_t offset, std::span<uint8_t> bytes) const = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DISKS_DISK_CONTENTS_H_
