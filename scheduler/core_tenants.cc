// Quotas of tenants: a start that does not fit stands in its tenant's own line, and only the
// tenant's own pods make room for it.
#include "scheduler/core.h"

namespace subito::scheduler {

PodShare Core::share_of(const Function& function) const {
  return {.tenant = function.limits.tenant,
          .cpu_millicores = function.limits.cpu_millicores,
          .memory_bytes = function.limits.memory_bytes};
}

bool Core::quota_is_reached(const Function& function) const {
  return tenants_.any_quota() && !tenants_.fits(share_of(function));
}

// Is there room in its tenant's quota, and is it its turn? If not it stands in that line.
bool Core::room_in_quota(Turn& turn, Slot slot) {
  if (!tenants_.any_quota()) return true;
  Function& function = ledger_.function(slot);
  const std::uint32_t tenant = function.limits.tenant;
  if (!tenants_.has_quota(tenant)) return true;
  const bool full = !tenants_.fits(share_of(function));
  const bool others_first = quota_granted_ != slot && tenants_.first_in_line(tenant) != kNoSlot;
  if (!full && !others_first) return true;
  note(turn, function, Decision::Kind::kQuotaReached,
       full ? "the quota of its namespace is reached" : "others of its namespace stand in line");
  tenants_.stand_in_line(tenant, slot,
                         std::uint64_t{function.serving()} * kWeightMax / function.limits.weight);
  return false;
}

void Core::leave_lines(Slot slot) {
  ledger_.leave_line(slot);
  if (tenants_.any_quota()) tenants_.leave_line(ledger_.function(slot).limits.tenant, slot);
}

// What came free goes to the first in line, as far as it fits; who stands behind one that needs
// more than there is waits, too: else a large pod would never have its turn.
void Core::grant_quotas(Turn& turn) {
  while (tenants_.any_to_look_at()) {
    const std::uint32_t tenant = tenants_.next_to_look_at();
    for (Slot slot = tenants_.first_in_line(tenant); slot != kNoSlot;
         slot = tenants_.first_in_line(tenant)) {
      if (!tenants_.fits(share_of(ledger_.function(slot)))) break;
      tenants_.leave_line(tenant, slot);
      quota_granted_ = slot;
      settle(turn, slot);
      quota_granted_ = kNoSlot;
      if (tenants_.first_in_line(tenant) == slot) break;  // alone, and it did not want it
    }
    evict_of(turn, tenant);
  }
}

// One idle pod of the tenant for each of its functions that stands in line.
void Core::evict_of(Turn& turn, std::uint32_t tenant) {
  while (tenants_.line_length(tenant) > tenants_.leaving(tenant)) {
    const Slot owner = tenants_.first_idle(tenant);
    if (owner == kNoSlot) return;
    leave_for_quota(ledger_.function(owner).idle.front());
    drain(turn, ledger_.function(owner).idle.front(), DrainReason::kQuota);
  }
}

void Core::leave_for_quota(Slot slot) {
  Pod& pod = ledger_.pod(slot);
  pod.leaves_for_quota = true;
  tenants_.add_leaving(pod.share.tenant);
}

// As on a full node (yields()): a busy function that has more pods for its weight than the first in
// line of its tenant would have with one more gives one up.
bool Core::yields_quota(const Function& function) const {
  if (!tenants_.any_quota()) return false;
  const std::uint32_t tenant = function.limits.tenant;
  if (tenants_.line_length(tenant) <= tenants_.leaving(tenant)) return false;
  if (function.queue.empty() || function.serving() <= pods_min(function)) return false;
  const Function& other = ledger_.function(tenants_.first_in_line(tenant));
  return std::uint64_t{function.serving()} * other.limits.weight >
         (std::uint64_t{other.serving()} + 1) * function.limits.weight;
}

void Core::set_quota(Turn turn, std::uint32_t tenant, const TenantQuota& quota) {
  tenants_.set_quota(tenant, quota);
  // Without any quota nobody keeps these books further: who stands in them when the last one goes
  // must leave, or its slot takes a place along that means another function by then.
  for (Slot slot = 0; slot < ledger_.functions_end(); ++slot) {
    const Function& function = ledger_.function(slot);
    if (!function.id || function.limits.tenant != tenant) continue;
    tenants_.set_idle(tenant, slot, tenants_.has_quota(tenant) && evictable(function));
  }
  grant(turn);
}

}  // namespace subito::scheduler
