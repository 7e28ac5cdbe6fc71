// Memory in blocks of one size.

#ifndef ISOCHRON_TIMELINE_BLOCK_POOL_H_
#define ISOCHRON_TIMELINE_BLOCK_POOL_H_

#include <cstddef>
#include <vector>

namespace isochron::timeline {

// Gets memory from the host for many blocks at once, with its pages: to have the host find each
// page when it is written first takes several times as long. What is given back is used again, and
// goes back to the host with the pool.
class BlockPool {
 public:
  // Of that many bytes each, aligned as anything that `new` makes.
  explicit BlockPool(size_t block_bytes);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // Never nullptr: as `new` where the host has no memory.
  void* Take();
  void Give(void* block) { free_.push_back(block); }
  // All goes back to the host; every block has been given back.
  void Release();

 private:
  void Grow();

  const size_t block_bytes_;
  std::vector<void*> regions_;
  std::vector<void*> free_;
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_BLOCK_POOL_H_
