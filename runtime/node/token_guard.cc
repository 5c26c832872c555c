#include "runtime/node/token_guard.h"

#include <utility>

#include "deploy/manifest/qualified_name.h"

namespace subito::node {

tl::expected<std::string, gateway::CallGuard::Refusal> TokenGuard::admit(std::string_view function,
                                                                         const http::Fields& fields,
                                                                         const server::Peer& peer) {
  auto name = manifest::split_qualified(function);
  auto admitted = check(
      false, {access::Verb::kInvoke, std::move(name.name_space), "invoke", std::move(name.name)},
      fields, peer);
  if (admitted) return *std::move(admitted);
  access::Refusal& why = admitted.error();
  return tl::unexpected<Refusal>(
      Refusal{why.status, std::move(why.type), std::move(why.detail), std::move(why.fields)});
}

tl::expected<std::string, access::Refusal> TokenGuard::check(bool socket, const Wish& wish,
                                                             const http::Fields& fields,
                                                             const server::Peer& peer) {
  auto who = socket ? gate_.identify_local(fields, peer, true) : gate_.identify(fields, peer);
  if (who && who->may(wish.verb, wish.name_space)) return std::move(who->subject);
  access::Refusal refusal =
      who ? access::forbidden(*who, wish.verb, wish.name_space) : std::move(who.error());
  write_down(refusal, wish, peer);
  return tl::unexpected<access::Refusal>(std::move(refusal));
}

void TokenGuard::write_down(const access::Refusal& refusal, const Wish& wish,
                            const server::Peer& peer) {
  access::Identity who;
  who.subject = refusal.subject;
  access::AuditRecord record;
  record.unix_ns = gate_.unix_now();
  record.actor = access::actor_words(who, peer);
  record.from = access::place_words(peer);
  record.action = wish.action;
  if (wish.name_space != access::kAllNamespaces) record.name_space = wish.name_space;
  record.target = wish.target;
  record.outcome = "refused";
  record.status = refusal.status;
  record.reason = refusal.why;
  audit_.append_refused(record, loop_.now());
}

}  // namespace subito::node
