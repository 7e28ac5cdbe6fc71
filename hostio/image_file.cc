#include "hostio/image_file.h"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hostio/file.h"

namespace isochron::hostio {
namespace {

absl::Status TooLarge(uint64_t max_bytes) {
  return absl::InvalidArgumentError(absl::StrCat("larger than ", max_bytes >> 20, " MiB"));
}

}  // namespace

absl::StatusOr<std::string> ReadDescriptor(int descriptor, uint64_t max_bytes) {
  struct stat information;
  if (fstat(descriptor, &information) != 0) {
    return absl::UnavailableError(std::strerror(errno));
  }
  if (S_ISDIR(information.st_mode)) return absl::InvalidArgumentError("is a directory");
  if (S_ISREG(information.st_mode) && static_cast<uint64_t>(information.st_size) > max_bytes) {
    return TooLarge(max_bytes);
  }
  std::string bytes;
  std::vector<char> buffer(size_t{1} << 16);
  while (true) {
    const ssize_t count = ReadSome(descriptor, buffer.data(), buffer.size());
    if (count < 0) return absl::UnavailableError(std::strerror(errno));
    if (count == 0) return bytes;
    if (static_cast<uint64_t>(count) > max_bytes - bytes.size()) return TooLarge(max_bytes);
    bytes.append(buffer.data(), count);
  }
}

absl::Status WithPath(const absl::Status& status, const std::string& path) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

absl::StatusOr<std::string> ReadFileBytes(const std::string& path, uint64_t max_bytes) {
  const absl::StatusOr<Descriptor> file = OpenForReading(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<std::string> bytes = ReadDescriptor(file->fd(), max_bytes);
  if (!bytes.ok()) return WithPath(bytes.status(), path);
  return bytes;
}

absl::StatusOr<std::string> ReadImageFile(const std::string& path, uint64_t max_bytes) {
  absl::StatusOr<std::string> bytes = ReadFileBytes(path, max_bytes);
  if (!bytes.ok() || !IsGzip(*bytes)) return bytes;
  absl::StatusOr<std::string> unpacked = Gunzip(*bytes, max_bytes);
  if (!unpacked.ok()) return WithPath(unpacked.status(), path);
  return unpacked;
}

bool IsGzip(std::string_view bytes) {
  return bytes.size() >= 3 && bytes.substr(0, 3) == "\x1f\x8b\x08";
}

absl::StatusOr<std::string> Gunzip(std::string_view bytes, uint64_t max_bytes) {
  z_stream stream = {};
  // 16 asks for the gzip format (zlib.h, inflateInit2).
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
    return absl::InternalError("no memory to unpack");
  }
  absl::Cleanup end = [&stream] { inflateEnd(&stream); };

  std::string output;
  std::vector<char> buffer(size_t{1} << 16);
  size_t position = 0;
  while (true) {
    // zlib counts in 32 bits.
    const size_t chunk = std::min(bytes.size() - position, size_t{1} << 30);
    stream.next_in = reinterpret_cast<const Bytef*>(bytes.data() + position);
    stream.avail_in = static_cast<uInt>(chunk);
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    position += chunk - stream.avail_in;
    const size_t produced = buffer.size() - stream.avail_out;
    if (produced > max_bytes - output.size()) return TooLarge(max_bytes);
    output.append(buffer.data(), produced);
    if (result == Z_STREAM_END) {
      if (!IsGzip(bytes.substr(position))) return output;
      if (inflateReset(&stream) != Z_OK) return absl::DataLossError("damaged gzip data");
    } else if (result == Z_MEM_ERROR) {
      return absl::InternalError("no memory to unpack");
    } else if (result == Z_BUF_ERROR) {
      return absl::DataLossError("gzip data cut short");
    } else if (result != Z_OK) {
      return absl::DataLossError("damaged gzip data");
    }
  }
}

}  // namespace isochron::hostio
