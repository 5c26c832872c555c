// What goes wrong between a client and a server of the API by TLS, in words for the person who
// typed the command. Pure.
#pragma once

#include <curl/curl.h>

#include <string>

#include "deploy/api/transport.h"

namespace subito::api {

// "https://host" or "https://host:port" and nothing behind it, or kInvalidArgument.
Status check_server_url(const std::string& url);

// Why curl could not speak TLS with the endpoint's server. `verified`: X509_V_..., as curl has it;
// `words`: its own.
Error tls_error(CURLcode code, long verified, const std::string& words, const Endpoint& endpoint);

}  // namespace subito::api
