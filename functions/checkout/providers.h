// Providers: what the saga asks of catalogue, stock and payment, one method a step. Each has the
// effect of once however often it is asked, by the order's id. Belongs to one handler run.
#pragma once

#include <subito/function.h>

#include <functional>
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

// A step that was asked for and goes on while something else is done. One that is dropped without
// wait() may be done or not.
class StepUnderWay {
 public:
  // Once; blocking.
  Step wait();

 private:
  friend class Providers;
  using Reader = std::function<Step(const subito::Response& answer)>;

  StepUnderWay(subito::Context& context, const char* function, const subito::Request& request,
               Reader reader);

  std::optional<subito::PendingCall> call_;
  std::string reason_;  // none could be made
  Reader reader_;
};

class Providers {
 public:
  explicit Providers(subito::Context& context) : context_(context) {}

  // wait() writes prices and total into `order`, which stays where it is until then.
  StepUnderWay prices(Order& order);
  StepUnderWay reserve(const Order& order);
  StepUnderWay authorise(const Order& order);
  StepUnderWay commit(const Order& order);
  StepUnderWay capture(const Order& order);
  StepUnderWay void_payment(const Order& order);
  StepUnderWay release(const Order& order);

 private:
  StepUnderWay ask(const char* function, const subito::Request& request,
                   StepUnderWay::Reader reader);

  subito::Context& context_;
};

}  // namespace shop
