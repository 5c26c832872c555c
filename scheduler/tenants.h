// Tenants: what the pods of each tenant take together, against its quota; which of its functions
// stand in line for a part of it, and which have idle pods that may give theirs. A tenant is a
// namespace of functions; whoever calls this numbers them from 0.
//
// Owned by the Core, same thread. Books alone: the Core decides who starts and who goes. Everything
// is O(1), or O(log functions) of a tenant that has a quota; once grown, nothing allocates.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "scheduler/heap.h"
#include "scheduler/limits.h"
#include "scheduler/slots.h"

namespace subito::scheduler {

// What one pod takes of its tenant's quota.
struct PodShare {
  std::uint32_t tenant = 0;
  std::uint32_t cpu_millicores = 0;
  std::uint64_t memory_bytes = 0;
};

class Tenants {
 public:
  // False: no tenant has a quota, and nothing here needs to be asked.
  bool any_quota() const { return quotas_ > 0; }
  bool has_quota(std::uint32_t tenant) const;
  void set_quota(std::uint32_t tenant, const TenantQuota& quota);

  // Of pods in any state: a pod holds its memory until it is gone.
  void take(const PodShare& share);
  void give_back(const PodShare& share);
  // Has the tenant room for one more pod like that; had it, if it ran nothing else?
  bool fits(const PodShare& share) const;
  bool ever_fits(const PodShare& share) const;

  // Functions by their slots. The first is who holds least, of equals who has stood longest. Who
  // stands already says anew what it holds.
  void stand_in_line(std::uint32_t tenant, Slot function, std::uint64_t held);
  void leave_line(std::uint32_t tenant, Slot function);
  bool in_line(Slot function) const;
  Slot first_in_line(std::uint32_t tenant) const;  // kNoSlot: nobody
  std::uint32_t line_length(std::uint32_t tenant) const;
  // Whether it has idle pods that may go; the first: for longest.
  void set_idle(std::uint32_t tenant, Slot function, bool idle);
  Slot first_idle(std::uint32_t tenant) const;

  // Pods that were asked to go for the tenant's sake, and are not gone yet.
  std::uint32_t leaving(std::uint32_t tenant) const;
  void add_leaving(std::uint32_t tenant) { ++at(tenant).leaving; }
  void remove_leaving(std::uint32_t tenant) { --at(tenant).leaving; }

  // Tenants whose line is to be looked at: something came free, or somebody came to stand in it.
  bool any_to_look_at() const { return !changed_.empty(); }
  std::uint32_t next_to_look_at();

 private:
  struct Turn {
    std::uint64_t held = 0;
    std::uint64_t stood = 0;
    friend auto operator<=>(const Turn&, const Turn&) = default;
  };
  struct Tenant {
    TenantQuota quota;
    std::uint32_t pods = 0;
    std::uint32_t leaving = 0;
    std::uint64_t memory_bytes = 0;
    std::uint64_t cpu_millicores = 0;
    bool noted = false;  // in changed_
    Heap<Turn> line;
    Heap<std::uint64_t> idle;
  };
  struct Places {
    Slot line = kNoSlot;
    std::uint64_t stood = 0;
    Slot idle = kNoSlot;
  };

  Tenant& at(std::uint32_t tenant);
  const Tenant* find(std::uint32_t tenant) const {
    return tenant < tenants_.size() ? &tenants_[tenant] : nullptr;
  }
  Places& places(Slot function);
  void note(std::uint32_t tenant);

  std::vector<Tenant> tenants_;
  std::vector<Places> places_;  // by function
  std::vector<std::uint32_t> changed_;
  std::uint64_t stamp_ = 0;
  std::uint32_t quotas_ = 0;
};

}  // namespace subito::scheduler
