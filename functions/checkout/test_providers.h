// TestProviders: catalogue, stock and payment in memory, as checkout sees them: product "3", at
// 45.50; customers "guest" (rich) and "bob" (2.00). What they answer stands in checkout's contract
// files, which contract_test holds against the real ones. Test code only.
#pragma once

#include <subito/testing.h>

#include <cstdint>
#include <map>
#include <string>

#include "functions/checkout/test_order_store.h"

namespace shop {

class TestProviders {
 public:
  // Answers the calls of `context`.
  TestProviders(FaultPlan& plan, subito::testing::TestContext& context);

  struct Reservation {
    std::string state;
    std::int64_t quantity = 0;
  };
  struct Authorisation {
    std::string state;
    std::string customer;
    std::int64_t amount_minor = 0;
  };

  // Reserved pieces, in whatever state an order's reservation is: "" when there is none.
  std::string reservation(const std::string& order);
  std::string authorisation(const std::string& order);
  std::int64_t pieces(const std::string& state) const;  // of all reservations in it
  // Of all authorisations in it, of one customer if one is named.
  std::int64_t money_minor(const std::string& state, const std::string& customer = {}) const;
  void expire(const std::string& order);
  void receive(std::int64_t more);  // pieces
  void allow(const std::string& customer, std::int64_t more_minor);

  std::string catalogue;  // its list of products
  std::int64_t received = 5;
  std::int64_t available = received;
  std::map<std::string, std::int64_t> limit_minor{{"guest", 100'000'000}, {"bob", 200}};
  std::map<std::string, std::int64_t> credit_minor = limit_minor;  // what is left of it
  bool expire_at_commit = false;  // reservations end just before they would be committed
  std::map<std::string, Reservation> reservations;
  std::map<std::string, Authorisation> authorisations;

 private:
  subito::Response stock(const subito::Request& request);
  subito::Response payment(const subito::Request& request);
  subito::Response reserve(const subito::Request& request);
  subito::Response commit(const std::string& order);
  subito::Response release(const std::string& order);
  subito::Response authorise(const subito::Request& request);
  subito::Response capture(const std::string& order);
  subito::Response void_authorisation(const std::string& order);

  FaultPlan& plan_;
};

}  // namespace shop
