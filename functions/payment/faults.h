// Faults on demand: what a payment provider does to those who trust it. For tests; only with the
// setting `faults: allow`, without which nothing here looks into Redis.
#pragma once

#include <subito/function.h>

#include <functional>
#include <string>

namespace shop {

enum class ProviderFault {
  kNone,
  kDecline,  // of an authorisation: as if there were no credit
  kSlow,     // it waits (has waited, when take_fault() returns), then does the work
  kError,    // 500, and nothing done
  kLost,     // the work is done, and nobody hears of it
};

// The next fault of the step "authorise", "capture" or "void", which it then has once less.
ProviderFault take_fault(subito::Context& context, const std::string& step);

// How a pod dies whose answer is to be lost. Does not return.
using Die = std::function<void()>;

// PUT /faults {on, fault, times, slowMs}, DELETE /faults.
void add_faults(subito::Router& router);

}  // namespace shop
