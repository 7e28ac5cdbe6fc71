// What an ATA drive says of itself.

#ifndef ISOCHRON_MACHINE_DEVICES_IDE_ATA_IDENTITY_H_
#define ISOCHRON_MACHINE_DEVICES_IDE_ATA_IDENTITY_H_

#include <cstdint>
#include <string>

namespace isochron::machine {

// The translation at power-on.
struct AtaGeometry {
  static constexpr uint16_t kHeads = 16;
  static constexpr uint16_t kSectors = 63;
  static constexpr uint16_t kMaxCylinders = 16383;
  // Cylinders for so many sectors, as far as they reach.
  static uint16_t Cylinders(uint64_t sectors, uint16_t heads, uint16_t sectors_per_track);
};

// The data of IDENTIFY DEVICE (ATA/ATAPI-5, 8.12; ATA/ATAPI-6 for 48-bit addresses).
struct AtaIdentity {
  static constexpr uint8_t kMultiwordDmaModes = 3;
  static constexpr uint8_t kUltraDmaModes = 6;
  static constexpr uint8_t kMaxMultiple = 16;  // sectors of a block of READ MULTIPLE

  int number = 0;  // 0 to 3
  uint64_t sectors = 0;
  uint8_t multiple = 0;
  uint8_t dma_mode = 0;  // as SET FEATURES takes it; 0: none
  bool write_cache = true;
  uint16_t heads = 0;
  uint16_t sectors_per_track = 0;

  // 512 bytes, with their checksum.
  std::string Bytes() const;
};

// The data of IDENTIFY PACKET DEVICE (ATA/ATAPI-5, 8.13) of a CD-ROM drive.
struct AtapiIdentity {
  int number = 0;        // 0 to 3
  uint8_t dma_mode = 0;  // as SET FEATURES takes it; 0: none

  // 512 bytes, with their checksum.
  std::string Bytes() const;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_IDE_ATA_IDENTITY_H_
