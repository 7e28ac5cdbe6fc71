// Guest RAM as engines, devices and digests share it.

#ifndef ISOCHRON_ALPHA_MEMORY_H_
#define ISOCHRON_ALPHA_MEMORY_H_

#include <cstdint>
#include <cstring>
#include <vector>

namespace isochron::alpha {

inline constexpr int kPageShift = 13;
inline constexpr uint64_t kPageSize = uint64_t{1} << kPageShift;
inline constexpr uint64_t kPageMask = kPageSize - 1;

// Told by Memory about what an engine must not miss.
class MemoryListener {
 public:
  virtual ~MemoryListener() = default;
  // Bytes [pa, pa + size) of a page marked as code have changed.
  virtual void OnCodeWritten(uint64_t /*pa*/, uint64_t /*size*/) {}
  // Pages have lost their dirty marks: stores must be announced again.
  virtual void OnDirtyCleared() {}
  // Bytes [pa, pa + size) of one page have been written by a device or the loader, by no CPU.
  virtual void OnDeviceWrite(uint64_t /*pa*/, uint64_t /*size*/) {}
  // The page of `pa` has been marked as locked, between the runs of CPUs: stores to it must be
  // announced from now on.
  virtual void OnLocked(uint64_t /*pa*/) {}
  // Bytes [pa, pa + size) of a page marked as locked have been written, by whoever.
  virtual void OnLockedWritten(uint64_t /*pa*/, uint64_t /*size*/) {}
};

// RAM from physical address 0 up. Does not own the storage.
//
// Every page carries three marks. *Dirty*: the page may have changed since the marks were last
// cleared. *Code*: an engine has decoded instructions from it. *Locked*: a CPU that does not run
// now has locked a block of it (LockWatch). A store to a page that is dirty and neither of the
// others needs no announcement; an engine may keep such pages in an inline lookup. Every other
// store goes through WillWrite().
class Memory {
 public:
  // `base` is page-aligned host storage of `size` bytes, a multiple of the page size.
  Memory(uint8_t* base, uint64_t size)
      : base_(base), size_(size), marks_(size >> kPageShift), written_(size >> kPageShift) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  uint64_t size() const { return size_; }
  bool Contains(uint64_t pa) const { return pa < size_; }
  bool Contains(uint64_t pa, uint64_t bytes) const { return bytes <= size_ && pa <= size_ - bytes; }
  uint8_t* host(uint64_t pa) { return base_ + pa; }
  const uint8_t* host(uint64_t pa) const { return base_ + pa; }

  // Aligned access of an integer type. `pa` must be inside RAM.
  template <typename T>
  T Load(uint64_t pa) const {
    T value;
    std::memcpy(&value, base_ + pa, sizeof(T));
    return value;
  }
  template <typename T>
  void Store(uint64_t pa, T value) {
    WillWrite(pa, sizeof(T));
    std::memcpy(base_ + pa, &value, sizeof(T));
    Written(pa, sizeof(T));
  }
  // Copies bytes in as a device or the loader would (DMA); may cross pages.
  void Write(uint64_t pa, const void* data, uint64_t size);
  // The same, but leaves pages alone that hold these bytes already: they stay clean, and what was
  // decoded from them stays valid.
  void WriteChanges(uint64_t pa, const void* data, uint64_t size);
  // Makes the bytes zero, leaving pages alone that are so already.
  void Clear(uint64_t pa, uint64_t size);

  // Every listener is told of everything, in the order in which they were added: each CPU may have
  // an engine or lookaside of its own. A listener is removed before it ends.
  void AddListener(MemoryListener& listener) { listeners_.push_back(&listener); }
  void RemoveListener(MemoryListener& listener) { std::erase(listeners_, &listener); }
  // For tests of what goes wrong when nobody is told.
  void RemoveAllListeners() { listeners_.clear(); }

  bool IsPlain(uint64_t pa) const { return marks_[pa >> kPageShift] == kDirty; }
  bool IsDirty(uint64_t pa) const { return (marks_[pa >> kPageShift] & kDirty) != 0; }
  bool IsCode(uint64_t pa) const { return (marks_[pa >> kPageShift] & kCode) != 0; }
  void MarkCode(uint64_t pa) { marks_[pa >> kPageShift] |= kCode; }
  void UnmarkCode(uint64_t pa) { marks_[pa >> kPageShift] &= ~kCode; }
  // To be called between the runs of CPUs. Tells the listeners of a page that was not marked.
  void MarkLocked(uint64_t pa);
  void UnmarkLocked(uint64_t pa) { marks_[pa >> kPageShift] &= ~kLocked; }

  // Marks the page dirty; to be called before a store that IsPlain() does not excuse.
  void WillWrite(uint64_t pa, uint64_t size) {
    for (uint64_t page = pa >> kPageShift; page <= (pa + size - 1) >> kPageShift; ++page) {
      marks_[page] |= kDirty;
    }
  }
  // Tells the listeners when the page is code or locked; to be called after such a store.
  void Written(uint64_t pa, uint64_t size) {
    if ((marks_[pa >> kPageShift] & (kCode | kLocked)) != 0) TellWritten(pa, size);
  }

  // Whether the page has been written since it was made: when not, it is zero, and looking at it
  // would cost the host a page.
  bool MayHoldData(uint64_t pa) const { return IsDirty(pa) || written_[pa >> kPageShift] != 0; }
  // All of RAM is about to be made zero behind this class's back: marks dirty what it changes.
  void WillClear();

  // Clears all dirty marks and tells the listeners.
  void ClearDirty();

  // The marks as translated code reads them, a byte a page: kDirty alone is what IsPlain()
  // asks for.
  static constexpr uint8_t kDirty = 1;
  const uint8_t* marks() const { return marks_.data(); }

 private:
  static constexpr uint8_t kCode = 2;
  static constexpr uint8_t kLocked = 4;

  void TellWritten(uint64_t pa, uint64_t size);

  uint8_t* base_;
  uint64_t size_;
  std::vector<uint8_t> marks_;
  std::vector<uint8_t> written_;  // pages that were dirty when the marks were last cleared
  std::vector<MemoryListener*> listeners_;
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_MEMORY_H_
