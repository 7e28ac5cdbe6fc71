// Reading the files that a machine boots from. They belong to the user: nothing about them is
// trusted, and what is read never exceeds a bound.

#ifndef ISOCHRON_HOSTIO_IMAGE_FILE_H_
#define ISOCHRON_HOSTIO_IMAGE_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace isochron::hostio {

// The largest image, in the file and unpacked, in bytes.
inline constexpr uint64_t kMaxImageBytes = uint64_t{1} << 30;

// The error with the name of the file that it is about before its message.
absl::Status WithPath(const absl::Status& status, const std::string& path);

// The bytes of the file at `path`. For an initrd: what it is packed with is the guest's
// affair. The error names the path and the reason: NotFound, PermissionDenied,
// InvalidArgument (a directory, larger than `max_bytes`) or Unavailable (reading failed).
absl::StatusOr<std::string> ReadFileBytes(const std::string& path,
                                          uint64_t max_bytes = kMaxImageBytes);

// The same of an open file, from where it stands on. The error names no path.
absl::StatusOr<std::string> ReadDescriptor(int descriptor, uint64_t max_bytes = kMaxImageBytes);

// As ReadFileBytes(), and unpacks a file that is in gzip format. For a kernel. DataLoss names
// the path when the packed data is damaged or cut short.
absl::StatusOr<std::string> ReadImageFile(const std::string& path,
                                          uint64_t max_bytes = kMaxImageBytes);

// Whether the bytes begin as a gzip file does (RFC 1952, section 2.3.1).
bool IsGzip(std::string_view bytes);

// Unpacks all members of a gzip file (RFC 1952). What follows the last member and is none is
// ignored, as gzip(1) does: boot media pad files. DataLoss when the data is damaged or cut
// short, InvalidArgument when the result would exceed `max_bytes`.
absl::StatusOr<std::string> Gunzip(std::string_view bytes, uint64_t max_bytes);

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_IMAGE_FILE_H_
