// CurlSender: POSTs OTLP over HTTP, or HTTPS, by libcurl. One connection, kept. Used by the
// exporter's thread alone.
#pragma once

#include <memory>
#include <string>

#include "runtime/node/traces/span_exporter.h"

namespace subito::node {

// `url`: of the receiver, "http://127.0.0.1:4318"; without a path of its own it gets the usual one,
// /v1/traces.
std::unique_ptr<SpanSender> make_curl_sender(std::string url);
std::string traces_url(std::string url);

}  // namespace subito::node
