#include "functions/checkout/saga.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace shop {
namespace {

using subito::Response;
using Record = OrderStore::Record;
using StepOutcome = Step::Outcome;

// Twice: an order that was begun before can turn out to be answered, or its key to be free.
constexpr int kPlaceTriesMax = 2;

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

Order order_of(const Wish& wish) {
  Order order;
  order.id = random_order_id();
  order.customer = wish.customer;
  order.lines = wish.lines;
  order.placed_ms = wish.placed_ms;
  return order;
}

}  // namespace

Response Saga::place(const Wish& wish) {
  for (int i = 0; i < kPlaceTriesMax; ++i) {
    const Order fresh = order_of(wish);
    const Begun begun =
        store_.begin(wish.key, fresh, wish.respond_async ? OrderStore::Duration(0) : lease());
    if (begun.outcome == Begun::Outcome::kMismatch) {
      return Response::problem(422, "idempotency-key-reused",
                               "this Idempotency-Key was used for another order");
    }
    if (begun.outcome == Begun::Outcome::kReplay) {
      return with_status(begun.answer, begun.order).header("idempotency-replayed", "true");
    }
    const bool started = begun.outcome == Begun::Outcome::kStarted;
    if (wish.respond_async) {
      if (started) return accepted(fresh);
      if (const auto known = store_.find(begun.order)) return accepted(*known);
      continue;
    }
    Run ended = started ? run({fresh, wish.key, {}, begun.lease, {}}, Waiting::kClient)
                        : work_on(begun.order);
    if (ended.end == Run::End::kOpen) return std::move(ended.response);
    const bool key_is_free = ended.end == Run::End::kFinal && ended.response.status() == 503;
    if (ended.end == Run::End::kFinal && (started || !key_is_free)) {
      return std::move(ended.response);
    }
  }
  return in_flight();
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
  if (work_.refusal) return undo();
  if (work_.order.status == OrderStatus::kAuthorised) return complete();
  Order next = work_.order;
  if (next.status == OrderStatus::kNew) {
    const Step step = providers_.price_and_reserve(next);
    if (step.outcome != StepOutcome::kDone) return failed(step);
  }
  return authorise(std::move(next));
}

Saga::Run Saga::authorise(Order next) {
  StepUnderWay authorisation = providers_.authorise(next);
  const bool reserved = work_.order.status == OrderStatus::kReserved;
  if (!reserved && !become(std::move(next), OrderStatus::kReserved)) return {};
  const Step step = authorisation.wait();
  if (step.outcome != StepOutcome::kDone) return failed(step);
  return complete();
}

Saga::Run Saga::complete() {
  StepUnderWay commit = providers_.commit(work_.order);
  StepUnderWay capture = providers_.capture(work_.order);
  const bool authorised = work_.order.status == OrderStatus::kAuthorised;
  if (!authorised && !become(work_.order, OrderStatus::kAuthorised)) return {};
  const Step committed = commit.wait();
  const Step captured = capture.wait();
  for (const Step* step : {&committed, &captured}) {
    if (step->outcome == StepOutcome::kRefused) return decide(step->refusal);
  }
  if (committed.outcome != StepOutcome::kDone) return rest(committed.reason);
  if (captured.outcome != StepOutcome::kDone) return rest(captured.reason);
  Order completed = work_.order;
  completed.status = OrderStatus::kCompleted;
  ++completed.version;
  const StoredAnswer answer{201, to_json(completed) + "\n"};
  if (!become(work_.order, OrderStatus::kCompleted, Record::kAnswer, answer)) return {};
  context_.log().info("order completed", {{"order", completed.id}});
  return {Run::End::kFinal, with_status(answer, completed.id)};
}

// A step up to the authorisation was not done: the order can still be cancelled.
Saga::Run Saga::failed(const Step& step) {
  if (step.outcome == StepOutcome::kRefused) return decide(step.refusal);
  if (waiting_ == Waiting::kNobody && work_.age < kPatience) return rest(step.reason);
  return decide({503, "unavailable", step.reason});
}

Saga::Run Saga::decide(const Refusal& refusal) {
  context_.log().info("order refused", {{"order", work_.order.id}, {"reason", refusal.detail}});
  work_.refusal = refusal;
  if (!store_.decide(work_)) return {};
  return undo();
}

// Both at once, and both always: one who worked on the order besides us may have come further.
Saga::Run Saga::undo() {
  StepUnderWay voided = providers_.void_payment(work_.order);
  StepUnderWay released = providers_.release(work_.order);
  for (StepUnderWay* step : {&voided, &released}) {
    const Step done = step->wait();
    if (done.outcome != StepOutcome::kDone) return rest(done.reason);
  }
  const Refusal& refusal = work_.refusal.value();
  const Response response = refusal_answer(refusal);
  Order cancelled = work_.order;
  cancelled.reason = refusal.type;
  const Record record = refusal.status == 503 ? Record::kForget : Record::kAnswer;
  if (!become(std::move(cancelled), OrderStatus::kCancelled, record,
              {refusal.status, response.body()})) {
    return {};
  }
  return {Run::End::kFinal, response};
}

// It stays as it is: due work goes on with it soon.
Saga::Run Saga::rest(const std::string& reason) {
  context_.log().warning(
      "order left open",
      {{"order", work_.order.id}, {"status", to_string(work_.order.status)}, {"reason", reason}});
  store_.let_go(work_, std::clamp(work_.age / 4, kRestMin, kRestMax));
  return {Run::End::kOpen, Response::problem(503, "order-open",
                                             "the order is not finished; ask again with the same "
                                             "Idempotency-Key: " +
                                                 reason)
                               .header("retry-after", "1")};
}

bool Saga::become(Order next, OrderStatus to, Record record, const StoredAnswer& answer) {
  if (!may_become(next.status, to)) throw std::logic_error("change order: no such step");
  next.status = to;
  ++next.version;
  work_.order = std::move(next);
  return store_.change(work_, record, answer);
}

}  // namespace shop
