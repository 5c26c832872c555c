// The shop as a monolith: all services in one process, the same handlers. Paths are those of a node
// with the shop's manifests.
#include <subito/monolith.h>

#include "functions/catalogue/catalogue.h"
#include "functions/checkout/checkout.h"
#include "functions/payment/payment.h"
#include "functions/shopfront/shopfront.h"
#include "functions/stock/stock.h"

int main(int argc, char** argv) {
  return subito::serve_monolith(argc, argv,
                                {{"catalogue", shop::catalogue_router()},
                                 {"stock", shop::stock_router()},
                                 {"payment", shop::payment_router()},
                                 {"checkout", shop::checkout_router(), {"/orders", "/customers"}},
                                 {"shopfront", shop::shopfront_router(), {"/"}}});
}
