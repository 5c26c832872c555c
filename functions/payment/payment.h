// payment: owns the customers' credit; a stand-in for a payment provider, with its failures.
//
// An authorisation belongs to an order and is made, captured and voided by its id, each as often as
// one likes with the effect of once. scripts.h tells how it is kept, faults.h what can go wrong on
// demand.
#pragma once

#include <subito/function.h>

#include <string_view>

#include "functions/payment/faults.h"

namespace shop {

// POST /authorisations {order, customer, amountMinor, currency}, GET /authorisations/{order},
// POST /authorisations/{order}/capture and /void, GET /customers/{id}, PUT and DELETE /faults,
// POST /seed, GET /health... `die` ends the pod whose answer is to be lost; null: at once, as if
// killed.
subito::Router payment_router(Die die = nullptr);
std::string_view payment_openapi();  // openapi.json

}  // namespace shop
