// WarmPeers: the same handler served in several ways, all started and warm, for suites that compare
// them. Owned by the measurement; when it goes, all of them are gone. One thread.
//
//   nginx         proxies to the handler's binary (--listen) on a Unix socket: the reference
//   nginx-again   the same one: its pairs show the noise
//   subito        a private node
//   handler       the handler's binary alone, no proxy before it
//   nginx-lean    proxies to a second nginx that returns the same bytes: the cheapest upstream
//   nginx-return  returns the same bytes itself: no upstream, a ceiling
//   haproxy, ...  other proxies and hosts of functions, where they are asked for (peers/peer.h)
//
// Without nginx the reference is `handler`, and `handler-again` shows the noise.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/bed.h"
#include "bench/peers/listening_handler.h"
#include "bench/peers/nginx.h"
#include "bench/peers/peer.h"
#include "bench/suites/warm_slice.h"

namespace subito::bench {

class WarmPeers {
 public:
  // `more`: names of peer_plans() beside nginx; one that does not start is missing.
  static Result<WarmPeers> make(std::uint32_t pool_size, const std::vector<std::string>& more = {});
  // What seeing inside costs: `subito-bare` counts, keeps and traces nothing and is the reference,
  // `subito-bare-again` is the same one, `subito` counts, keeps logs and traces 1 % of the
  // requests.
  static Result<WarmPeers> make_observed(std::uint32_t pool_size);

  const WarmPeer& subito() const;
  const std::vector<WarmPeer>& all() const { return peers_; }  // the reference first
  const std::vector<MissingPeer>& missing() const { return missing_; }

  static constexpr const char* kFunction = "measured";
  static constexpr const char* kSubito = "subito";
  static constexpr const char* kBare = "subito-bare";

 private:
  WarmPeers(TempFolder folder, Bed bed) : folder_(std::move(folder)), bed_(std::move(bed)) {}
  Status open_handlers(const std::string& binary);
  Status open_nginx();
  Status open_lean();
  Status open_more(const std::vector<std::string>& names);

  TempFolder folder_;  // of sockets; destroyed last
  Bed bed_;
  std::optional<Bed> bare_;
  std::optional<ListeningHandler> behind_nginx_;
  std::optional<ListeningHandler> handler_;
  std::optional<Nginx> returning_;  // on a Unix socket, the upstream of lean_
  std::optional<Nginx> ceiling_;
  std::optional<Nginx> lean_;
  std::optional<Nginx> proxy_;
  std::vector<Peer> more_;
  std::vector<WarmPeer> peers_;
  std::vector<MissingPeer> missing_;
};

}  // namespace subito::bench
