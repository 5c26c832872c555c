// Orders: what a run orders, drawn by a seed, and what became of it: each key once, however often
// it was sent. Pure: who sends the requests tells it the answers.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "bench/http_client.h"

namespace subito::bench {

struct OrderSums {
  std::uint32_t keys = 0;        // orders that were asked for
  std::uint32_t sent_again = 0;  // requests that repeated a key
  std::uint32_t placed = 0;      // keys answered 201
  std::uint32_t refused = 0;     // keys answered 4xx, which is final
  std::uint32_t open = 0;        // keys without a final answer
  std::uint32_t in_flight = 0;   // answers "409 order-in-flight": asked again too early
  std::map<std::string, std::int64_t> pieces;  // by product, of what was placed
  std::int64_t total_minor = 0;                // of what was placed
};

class Orders {
 public:
  static constexpr std::int64_t kQuantityMax = 3;

  // One line each, of any of the products.
  Orders(std::vector<std::string> products, std::uint64_t seed);

  // POST /orders with a key that was not there before.
  HttpRequest place();
  // The latest once more; a new one while there is none.
  HttpRequest again();
  // As place(), of all that have no final answer.
  std::vector<HttpRequest> open() const;

  // Of a request that was made here. Status 0: none came.
  void answered(const HttpRequest& request, int status, const std::string& body);

  OrderSums sums() const;
  // What an answer said that it must not, in words; at most kFaultsMax of them.
  const std::vector<std::string>& faults() const { return faults_; }
  static constexpr std::size_t kFaultsMax = 20;

 private:
  struct Order {
    std::string product;
    std::int64_t quantity = 0;
    bool refused = false;
    std::string id;  // once it was placed
    std::int64_t total_minor = 0;
  };
  HttpRequest request_of(const std::string& key) const;
  void placed(const std::string& key, Order& order, const std::string& body);
  void fault(const std::string& key, const std::string& what);

  const std::vector<std::string> products_;
  std::mt19937_64 random_;
  std::string latest_;
  std::map<std::string, Order> orders_;  // by key
  std::vector<std::string> faults_;
  std::uint32_t sent_again_ = 0;
  std::uint32_t in_flight_ = 0;
};

}  // namespace subito::bench
