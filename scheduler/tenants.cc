#include "scheduler/tenants.h"

#include "runtime/base/check.h"

namespace subito::scheduler {
namespace {

// 0 of a quota is no limit.
bool within(std::uint64_t sum, std::uint64_t limit) {
  return limit == 0 || sum <= limit;
}

}  // namespace

Tenants::Tenant& Tenants::at(std::uint32_t tenant) {
  CHECK(tenant < kTenantsMax);
  if (tenant >= tenants_.size()) tenants_.resize(tenant + 1);
  return tenants_[tenant];
}

Tenants::Places& Tenants::places(Slot function) {
  if (function >= places_.size()) places_.resize(function + 1);
  return places_[function];
}

bool Tenants::has_quota(std::uint32_t tenant) const {
  const Tenant* it = find(tenant);
  return it != nullptr && it->quota.limits();
}

void Tenants::set_quota(std::uint32_t tenant, const TenantQuota& quota) {
  Tenant& it = at(tenant);
  quotas_ -= static_cast<std::uint32_t>(it.quota.limits());
  it.quota = quota;
  quotas_ += static_cast<std::uint32_t>(it.quota.limits());
  note(tenant);
}

void Tenants::take(const PodShare& share) {
  Tenant& it = at(share.tenant);
  ++it.pods;
  it.memory_bytes += share.memory_bytes;
  it.cpu_millicores += share.cpu_millicores;
}

void Tenants::give_back(const PodShare& share) {
  Tenant& it = at(share.tenant);
  CHECK(it.pods > 0 && it.memory_bytes >= share.memory_bytes &&
        it.cpu_millicores >= share.cpu_millicores);
  --it.pods;
  it.memory_bytes -= share.memory_bytes;
  it.cpu_millicores -= share.cpu_millicores;
  if (!it.line.empty()) note(share.tenant);
}

bool Tenants::fits(const PodShare& share) const {
  const Tenant* it = find(share.tenant);
  if (it == nullptr) return true;
  return within(std::uint64_t{it->pods} + 1, it->quota.pods_max) &&
         within(it->memory_bytes + share.memory_bytes, it->quota.memory_bytes_max) &&
         within(it->cpu_millicores + share.cpu_millicores, it->quota.cpu_millicores_max);
}

bool Tenants::ever_fits(const PodShare& share) const {
  const Tenant* it = find(share.tenant);
  if (it == nullptr) return true;
  return within(share.memory_bytes, it->quota.memory_bytes_max) &&
         within(share.cpu_millicores, it->quota.cpu_millicores_max);
}

void Tenants::stand_in_line(std::uint32_t tenant, Slot function, std::uint64_t held) {
  Places& place = places(function);
  if (place.line == kNoSlot) place.stood = ++stamp_;
  at(tenant).line.put(function, {held, place.stood},
                      [this](Slot slot) -> Slot& { return places(slot).line; });
  note(tenant);
}

void Tenants::leave_line(std::uint32_t tenant, Slot function) {
  if (!in_line(function)) return;
  at(tenant).line.erase(function, [this](Slot slot) -> Slot& { return places(slot).line; });
  note(tenant);
}

bool Tenants::in_line(Slot function) const {
  return function < places_.size() && places_[function].line != kNoSlot;
}

Slot Tenants::first_in_line(std::uint32_t tenant) const {
  const Tenant* it = find(tenant);
  return it == nullptr || it->line.empty() ? kNoSlot : it->line.top();
}

std::uint32_t Tenants::line_length(std::uint32_t tenant) const {
  const Tenant* it = find(tenant);
  return it == nullptr ? 0 : static_cast<std::uint32_t>(it->line.size());
}

void Tenants::set_idle(std::uint32_t tenant, Slot function, bool idle) {
  Slot& place = places(function).idle;
  if (idle == (place != kNoSlot)) return;
  const auto positions = [this](Slot slot) -> Slot& { return places(slot).idle; };
  Tenant& it = at(tenant);
  if (!idle) return it.idle.erase(function, positions);
  it.idle.put(function, ++stamp_, positions);
  if (!it.line.empty()) note(tenant);
}

Slot Tenants::first_idle(std::uint32_t tenant) const {
  const Tenant* it = find(tenant);
  return it == nullptr || it->idle.empty() ? kNoSlot : it->idle.top();
}

std::uint32_t Tenants::leaving(std::uint32_t tenant) const {
  const Tenant* it = find(tenant);
  return it == nullptr ? 0 : it->leaving;
}

void Tenants::note(std::uint32_t tenant) {
  Tenant& it = at(tenant);
  if (it.noted) return;
  it.noted = true;
  changed_.push_back(tenant);
}

std::uint32_t Tenants::next_to_look_at() {
  const std::uint32_t tenant = changed_.back();
  changed_.pop_back();
  at(tenant).noted = false;
  return tenant;
}

}  // namespace subito::scheduler
