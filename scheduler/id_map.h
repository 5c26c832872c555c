// IdMap: from an id to its slot. Open addressing in one array: no allocation once it has grown,
// and nothing to iterate, so no order of it can leak into a decision. Lives inside the Ledger.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/base/large_memory.h"
#include "scheduler/slots.h"

namespace subito::scheduler {

template <typename IdType>
class IdMap {
 public:
  std::size_t size() const { return size_; }

  // kNoSlot: not found.
  Slot find(IdType id) const {
    if (size_ == 0) return kNoSlot;
    const Cell& cell = cells_[locate(id)];
    return cell.id == id ? cell.slot : kNoSlot;
  }

  // The id must be new, and not 0.
  void insert(IdType id, Slot slot) {
    CHECK(id);
    if ((size_ + 1) * 2 > cells_.size()) grow();  // at most half full: probes stay short
    Cell& cell = cells_[locate(id)];
    CHECK(!cell.id);
    cell = {id, slot};
    ++size_;
  }

  void erase(IdType id) {
    CHECK(size_ > 0);
    std::size_t hole = locate(id);
    CHECK(cells_[hole].id == id);
    // Whoever stands behind the hole and would rather stand in it moves up, so that no search stops
    // at an empty cell too early (Knuth, vol. 3, 6.4, algorithm R).
    for (std::size_t at = next(hole); cells_[at].id; at = next(at)) {
      const std::size_t wanted = home(cells_[at].id);
      if (((at - wanted) & mask()) >= ((at - hole) & mask())) {
        cells_[hole] = cells_[at];
        hole = at;
      }
    }
    cells_[hole] = {};
    --size_;
  }

 private:
  struct Cell {
    IdType id;
    Slot slot = kNoSlot;
  };
  using Cells = std::vector<Cell, LargeMemory<Cell>>;
  static constexpr std::size_t kCellsMin = 16;

  std::size_t mask() const { return cells_.size() - 1; }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  std::size_t home(IdType id) const {
    // Fibonacci hashing spreads ids that count up; the high half is the well mixed one.
    return (id.value() * 0x9E3779B97F4A7C15u >> 32) & mask();
  }
  // The cell of the id, or the empty one where it would go.
  std::size_t locate(IdType id) const {
    std::size_t at = home(id);
    while (cells_[at].id && cells_[at].id != id) at = next(at);
    return at;
  }
  void grow() {
    const Cells old = std::move(cells_);
    cells_.assign(old.empty() ? kCellsMin : old.size() * 2, Cell{});
    for (const Cell& cell : old) {
      if (cell.id) cells_[locate(cell.id)] = cell;
    }
  }

  Cells cells_;
  std::size_t size_ = 0;
};

}  // namespace subito::scheduler
