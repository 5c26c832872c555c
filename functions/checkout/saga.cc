#include "functions/checkout/saga.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <utility>

namespace shop {
namespace {

using subito::Response;
using Record = OrderStore::Record;
using StepOutcome = Step::Outcome;

// Twice: an order that was begun before can turn out to be answered.
constexpr int kPlaceTriesMax = 2;

// Why an order was cancelled that could succeed another time: its key is free.
constexpr const char* kUnavailable = "unavailable";

Response with_status(const StoredAnswer& answer, const std::string& order) {
  Response response = Response::json(answer.body, answer.status);
  if (answer.status == 201) response.header("location", "/orders/" + order);
  if (answer.status >= 400) response.header("content-type", "application/problem+json");
  return response;
}

Response accepted(const Order& order) {
  return Response::json(to_json(order) + "\n", 202)
      .header("location", "/orders/" + order.id)
      .header("preference-applied", "respond-async");
}

Response in_flight() {
  return Response::problem(409, "order-in-flight",
                           "an order with this Idempotency-Key is being placed right now")
      .header("retry-after", "1");
}

Response refusal_answer(const Refusal& refusal) {
  if (refusal.status != 503) {
    return Response::problem(refusal.status, refusal.type, refusal.detail);
  }
  return Response::problem(503, "order-cancelled",
                           "nothing was ordered, try again: " + refusal.detail)
      .header("retry-after", "1");
}

// A draft while its client waits: it is told of once there is something to tell.
Order order_of(const Wish& wish) {
  Order order;
  order.id = random_order_id();
  order.version = wish.respond_async ? 1 : 0;
  order.customer = wish.customer;
  order.lines = wish.lines;
  order.placed_ms = wish.placed_ms;
  order.expected_minor = wish.expected_minor;
  return order;
}

// What a key that was used before is answered, if that is known already.
std::optional<Response> answer_known(const Begun& begun) {
  if (begun.outcome == Begun::Outcome::kMismatch) {
    return Response::problem(422, "idempotency-key-reused",
                             "this Idempotency-Key was used for another order");
  }
  if (begun.outcome == Begun::Outcome::kReplay) {
    return with_status(begun.answer, begun.order).header("idempotency-replayed", "true");
  }
  return std::nullopt;
}

// The first that was refused, or else the first that is unsure; null when all are done.
const Step* fault_of(std::initializer_list<const Step*> steps) {
  for (const StepOutcome outcome : {StepOutcome::kRefused, StepOutcome::kUnsure}) {
    for (const Step* step : steps) {
      if (step->outcome == outcome) return step;
    }
  }
  return nullptr;
}

}  // namespace

Response Saga::place(const Wish& wish) {
  if (wish.respond_async) return accept(wish);
  for (int i = 0; i < kPlaceTriesMax; ++i) {
    if (auto answer = attempt(wish)) return *std::move(answer);
  }
  return in_flight();
}

Response Saga::accept(const Wish& wish) {
  const Order fresh = order_of(wish);
  const Begun begun = store_.begin(wish.key, fresh, OrderStore::Duration(0));
  if (auto answer = answer_known(begun)) return *std::move(answer);
  if (begun.outcome == Begun::Outcome::kStarted) return accepted(fresh);
  if (const auto known = store_.find(begun.order)) return accepted(*known);
  return in_flight();
}

std::optional<Response> Saga::attempt(const Wish& wish) {
  const Order fresh = order_of(wish);
  ask_prices(fresh);  // beside begin(): it changes nothing
  const Begun begun = store_.begin(wish.key, fresh, lease());
  const bool started = begun.outcome == Begun::Outcome::kStarted;
  if (!started) prices_.reset();
  if (auto answer = answer_known(begun)) return answer;
  Run ended = started ? run({fresh, {}, wish.key, {}, begun.lease, {}}, Waiting::kClient)
                      : work_on(begun.order);
  if (ended.end == Run::End::kOvertaken) return overtaken(started ? fresh.id : begun.order);
  return std::move(ended.response);
}

// A request is about one order. Once that has left its key free it may be followed by its id yet:
// to place a second one behind its back would sell twice to one who asks again.
std::optional<Response> Saga::overtaken(const std::string& order) {
  const auto found = store_.find(order);
  if (!found || !is_final(found->status)) return in_flight();
  if (found->reason == kUnavailable) {
    return refusal_answer({503, kUnavailable, "a part of the shop was away"});
  }
  return std::nullopt;
}

Response Saga::carry_on(const std::string& order) {
  Taken taken = store_.take(order, lease());
  if (taken.outcome == Taken::Outcome::kHeld) return in_flight();
  if (taken.outcome == Taken::Outcome::kTaken) {
    (void)run(std::move(taken.work), Waiting::kNobody);
  }
  return Response(204);
}

OrderStore::Duration Saga::lease() {
  return std::min<OrderStore::Duration>(kLeaseMax, context_.time_left());
}

Saga::Run Saga::work_on(const std::string& order) {
  Taken taken = store_.take(order, lease());
  if (taken.outcome != Taken::Outcome::kTaken) return {};
  return run(std::move(taken.work), Waiting::kClient);
}

Saga::Run Saga::run(Work work, Waiting waiting) {
  work_ = std::move(work);
  waiting_ = waiting;
  if (is_final(work_.order.status)) return {};  // it ended between the lease and the look at it
  if (work_.order.version == 0) {
    work_.next.push_back(work_.order);
    work_.next.back().version = 1;
  }
  if (work_.refusal) return undo();
  if (work_.order.status == OrderStatus::kAuthorised) return complete();
  return work_.order.status == OrderStatus::kReserved ? authorise() : reserve();
}

// Whoever says what he expects to pay has nothing reserved for him at another price. Else both are
// waited for, whatever the first one says: what was asked for may be done.
Saga::Run Saga::reserve() {
  if (!prices_) ask_prices(now());
  std::optional<Step> agreed;
  if (now().expected_minor) agreed = wait_for_prices();
  if (agreed && agreed->outcome != StepOutcome::kDone) return failed(*agreed);
  StepUnderWay reservation = providers_.reserve(now());
  const Step priced = agreed ? *agreed : wait_for_prices();
  const Step reserved = reservation.wait();
  if (const Step* fault = fault_of({&priced, &reserved})) return failed(*fault);
  earn(priced_, OrderStatus::kReserved);
  return authorise();
}

// Only behind the reservation: who is short of stock holds no credit that another one needs.
Saga::Run Saga::authorise() {
  const Step authorised = providers_.authorise(now()).wait();
  if (authorised.outcome != StepOutcome::kDone) return failed(authorised);
  earn(now(), OrderStatus::kAuthorised);
  return complete();
}

Saga::Run Saga::complete() {
  StepUnderWay commit = providers_.commit(now());
  StepUnderWay capture = providers_.capture(now());
  const Step committed = commit.wait();
  const Step captured = capture.wait();
  if (const Step* fault = fault_of({&committed, &captured})) {
    return fault->outcome == StepOutcome::kRefused ? decide(fault->refusal) : rest(fault->reason);
  }
  earn(now(), OrderStatus::kCompleted);
  const StoredAnswer answer{201, to_json(now()) + "\n"};
  if (!write(Record::kAnswer, answer)) return {};
  return {Run::End::kFinal, with_status(answer, now().id)};
}

// A step up to the authorisation was not done: the order can still be cancelled.
Saga::Run Saga::failed(const Step& step) {
  if (step.outcome == StepOutcome::kRefused) return decide(step.refusal);
  if (waiting_ == Waiting::kNobody && work_.age < kPatience) return rest(step.reason);
  return decide({503, kUnavailable, step.reason});
}

Saga::Run Saga::decide(const Refusal& refusal) {
  context_.log().info("order refused", {{"order", work_.order.id}, {"reason", refusal.detail}});
  work_.refusal = refusal;
  if (!store_.decide(work_)) return {};
  return undo();
}

// Both at once, and both always: one who worked on the order besides us may have come further.
Saga::Run Saga::undo() {
  StepUnderWay voided = providers_.void_payment(now());
  StepUnderWay released = providers_.release(now());
  for (StepUnderWay* step : {&voided, &released}) {
    const Step done = step->wait();
    if (done.outcome != StepOutcome::kDone) return rest(done.reason);
  }
  const Refusal& refusal = work_.refusal.value();
  const Response response = refusal_answer(refusal);
  Order cancelled = now();
  cancelled.reason = refusal.type;
  earn(std::move(cancelled), OrderStatus::kCancelled);
  const Record record = refusal.status == 503 ? Record::kForget : Record::kAnswer;
  if (!write(record, {refusal.status, response.body()})) return {};
  return {Run::End::kFinal, response};
}

// It stays as far as it came, which is written now: due work goes on with it soon. What is to be
// cancelled goes no step forwards, so nothing is written then.
Saga::Run Saga::rest(const std::string& reason) {
  context_.log().warning(
      "order left open",
      {{"order", now().id}, {"status", to_string(now().status)}, {"reason", reason}});
  if (!work_.refusal && !work_.next.empty() && !write(Record::kLeave)) return {};
  store_.let_go(work_, std::clamp(work_.age / 4, kRestMin, kRestMax));
  return {Run::End::kOpen, Response::problem(503, "order-open",
                                             "the order is not finished; ask again with the same "
                                             "Idempotency-Key: " +
                                                 reason)
                               .header("retry-after", "1")};
}

void Saga::ask_prices(const Order& order) {
  priced_ = order;
  prices_ = providers_.prices(priced_);
}

Step Saga::wait_for_prices() {
  Step priced = prices_->wait();
  prices_.reset();
  return priced;
}

void Saga::earn(Order next, OrderStatus status) {
  if (!may_become(now().status, status)) throw std::logic_error("change order: no such step");
  next.status = status;
  next.version = now().version + 1;
  work_.next.push_back(std::move(next));
}

bool Saga::write(Record record, const StoredAnswer& answer) {
  if (!store_.change(work_, record, answer)) return false;
  work_.order = std::move(work_.next.back());
  work_.next.clear();
  return true;
}

}  // namespace shop
