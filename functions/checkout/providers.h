// Providers: what the saga asks of catalogue, stock and payment, one method a step. Each has the
// effect of once however often it is asked, by the order's id. Belongs to one handler run;
// blocking.
#pragma once

#include <subito/function.h>

#include <optional>
#include <string>
#include <utility>

#include "functions/checkout/order_store.h"

namespace shop {

struct Step {
  enum class Outcome {
    kDone,
    kRefused,  // it cannot be, now or later: `refusal`
    kUnsure,   // it may have been done or not, or could be done another time: `reason`
  };
  Outcome outcome = Outcome::kUnsure;
  Refusal refusal;
  std::string reason;

  static Step done() { return {Outcome::kDone, {}, {}}; }
  static Step refused(int status, std::string type, std::string detail) {
    return {Outcome::kRefused, {status, std::move(type), std::move(detail)}, {}};
  }
  static Step unsure(std::string reason) { return {Outcome::kUnsure, {}, std::move(reason)}; }
};

class Providers {
 public:
  explicit Providers(subito::Context& context) : context_(context) {}

  // Both at the same time, as neither needs the other. Writes prices and total.
  Step price_and_reserve(Order& order);
  Step authorise(const Order& order);
  Step commit(const Order& order);
  Step capture(const Order& order);
  Step void_payment(const Order& order);
  Step release(const Order& order);

 private:
  // The answer, or why there is none.
  struct Answered {
    std::optional<subito::Response> response;
    std::string reason;
  };
  static Answered wait_for(subito::PendingCall call);
  Answered post(const char* function, const std::string& path, std::string body = {});

  Step price(const Answered& answered, Order& order);
  Step reserve(const Answered& answered);

  subito::Context& context_;
};

}  // namespace shop
