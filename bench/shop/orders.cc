#include "bench/shop/orders.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace subito::bench {

namespace {

constexpr const char* kKeyField = "idempotency-key";
constexpr const char* kInFlight = "order-in-flight";

std::string text_in(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string problem_type(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  return json.is_object() ? text_in(json, "type") : "";
}

}  // namespace

Orders::Orders(std::vector<std::string> products, std::uint64_t seed)
    : products_(std::move(products)), random_(seed) {}

HttpRequest Orders::place() {
  latest_ = "bench-" + std::to_string(orders_.size() + 1);
  Order& order = orders_[latest_];
  order.product = products_[random_() % products_.size()];
  order.quantity = static_cast<std::int64_t>(1 + random_() % kQuantityMax);
  return request_of(latest_);
}

HttpRequest Orders::again() {
  if (latest_.empty()) return place();
  ++sent_again_;
  return request_of(latest_);
}

std::vector<HttpRequest> Orders::open() const {
  std::vector<HttpRequest> requests;
  for (const auto& [key, order] : orders_) {
    if (order.id.empty() && !order.refused) requests.push_back(request_of(key));
  }
  return requests;
}

HttpRequest Orders::request_of(const std::string& key) const {
  const Order& order = orders_.at(key);
  const nlohmann::json line = {{"productId", order.product}, {"quantity", order.quantity}};
  const nlohmann::json body = {{"lines", nlohmann::json::array({line})}};
  HttpRequest request{"POST", "/orders", {}, body.dump()};
  request.fields = {{kKeyField, key}, {"content-type", "application/json"}};
  return request;
}

// 5xx and none at all promise nothing: the order may be there, or come.
void Orders::answered(const HttpRequest& request, int status, const std::string& body) {
  const std::string* key = http::find_field(request.fields, kKeyField);
  const auto found = key == nullptr ? orders_.end() : orders_.find(*key);
  if (found == orders_.end() || status == 0 || status >= 500) return;
  Order& order = found->second;
  if (status == 409 && problem_type(body) == kInFlight) {
    ++in_flight_;
  } else if (status == 201) {
    placed(*key, order, body);
  } else if (status / 100 == 4) {
    order.refused = true;
    if (!order.id.empty()) {
      fault(*key, "was placed, then refused with status " + std::to_string(status));
    }
  } else {
    fault(*key, "was answered with status " + std::to_string(status));
  }
}

void Orders::placed(const std::string& key, Order& order, const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const std::string id = json.is_object() ? text_in(json, "id") : "";
  const auto total = json.is_object() ? json.find("totalMinor") : json.end();
  if (id.empty() || total == json.end() || !total->is_number_integer()) {
    return fault(key, "was answered 201 without an id and a total: " + body.substr(0, 200));
  }
  if (text_in(json, "status") != "COMPLETED") {
    fault(key, "was answered 201 in the state " + text_in(json, "status"));
  }
  if (order.refused) fault(key, "was refused, then placed");
  if (!order.id.empty() && (order.id != id || order.total_minor != total->get<std::int64_t>())) {
    return fault(
        key, "is order " + order.id + ", and asked again order " + id + ", or has another total");
  }
  order.id = id;
  order.total_minor = total->get<std::int64_t>();
}

void Orders::fault(const std::string& key, const std::string& what) {
  if (faults_.size() < kFaultsMax) faults_.push_back("the order of key " + key + " " + what);
}

OrderSums Orders::sums() const {
  OrderSums sums;
  sums.keys = static_cast<std::uint32_t>(orders_.size());
  sums.sent_again = sent_again_;
  sums.in_flight = in_flight_;
  for (const auto& [key, order] : orders_) {
    if (order.id.empty()) {
      ++(order.refused ? sums.refused : sums.open);
      continue;
    }
    ++sums.placed;
    sums.pieces[order.product] += order.quantity;
    sums.total_minor += order.total_minor;
  }
  return sums;
}

}  // namespace subito::bench
