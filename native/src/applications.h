// The application protocol of each conversation, from the first packets that the kernel hands over. Payload stays here:
// rows have what was found in it.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

#include "../bpf/wire.h"
#include "application_detector.h"
#include "batch.h"

namespace procflow {

class Applications {
 public:
  struct Limits {
    std::size_t flows = 8192;               // conversations that nDPI looks at, at once
    std::size_t conversations = 32768;      // and those that it is done with, together
    std::size_t bytes = 64u << 20;          // of nDPI's memory
    std::uint64_t budget_ns = 200'000'000;  // CPU time in a second
  };
  struct Losses {
    std::uint64_t table = 0;   // packets that found no room
    std::uint64_t budget = 0;  // packets for which there was no time
  };

  // `packets`: after so many of each direction nothing more comes of a conversation. Throws when nDPI cannot be used.
  Applications(std::uint32_t packets, const Limits& limits) : packets_(packets), limits_(limits) {}
  Applications(const Applications&) = delete;
  Applications& operator=(const Applications&) = delete;

  // A record of `size` bytes.
  void packet(const pf_packet_record& record, std::size_t size, BatchBuilder& out);
  // The filter keeps the socket. Rows of one that it has not judged wait for this.
  void kept(std::uint64_t cookie, std::uint64_t now_ns, BatchBuilder& out);
  // A socket has ended: what is known of its conversation is all there is. Of a datagram socket with several, of one of
  // them; the others are told when they have been silent for a while.
  void ended(std::uint64_t cookie, std::uint64_t now_ns, BatchBuilder& out);
  // At the end of each reading of the ring buffer. Lets go of conversations that are silent.
  void tick(std::uint64_t now_ns, BatchBuilder& out);

  const Losses& losses() const { return losses_; }
  std::size_t size() const { return conversations_.size(); }

 private:
  struct Key {
    std::uint32_t netns = 0;
    std::uint16_t protocol = 0;
    std::array<PacketEnd, 2> ends;  // in order, so that both directions and both sockets have one key
    bool operator==(const Key& other) const;
  };
  // Keyed, since strangers choose addresses and ports.
  class KeyHash {
   public:
    KeyHash();
    std::size_t operator()(const Key& key) const;

   private:
    std::array<std::uint64_t, 6> secret_;
  };
  // A local socket of the conversation; both ends may be here.
  struct Socket {
    std::uint64_t cookie = 0;
    PacketEnd peer;
  };
  struct Conversation {
    Key key;
    std::array<Socket, 2> sockets;          // whose own end is the one in key.ends
    std::size_t side = 0;                   // the socket that gave a packet last
    ApplicationDetector::Flow flow;  // null: nothing more is looked at
    std::array<std::uint8_t, 2> packets{};  // by sender, likewise
    bool from_start = false;
    bool told = false;
    bool held = false;  // until the filter has judged its socket
    PacketEnd first_from, first_to;
    std::uint64_t last_ns = 0;
    std::string ssh_client, ssh_server, tls_version;
    std::int32_t dns_reply_code = -1;
    Application application;  // as it was told last
  };
  using List = std::list<Conversation>;

  List::iterator find(const Key& key, std::size_t side, const pf_packet_record& record, BatchBuilder& out);
  List::iterator begin(const Key& key, bool from_start);
  void name_socket(List::iterator conversation, std::size_t side, const Socket& socket, std::uint64_t now_ns,
                   BatchBuilder& out);
  void peek(Conversation& conversation, const PacketView& packet, bool by_client);
  Application known(const Conversation& conversation) const;
  // Rows name one socket: the flow of both is one.
  void tell(Conversation& conversation, const Socket& socket, const Application& application, bool final,
            std::uint64_t now_ns, BatchBuilder& out) const;
  void release(List::iterator conversation, std::uint64_t now_ns, BatchBuilder& out);
  void finish(List::iterator conversation, std::uint64_t now_ns, BatchBuilder& out);
  void erase(List::iterator conversation);
  bool has_time(std::uint64_t now_ns);
  void account();

  std::uint32_t packets_;
  Limits limits_;
  ApplicationDetector detector_;
  Losses losses_;

  // CPU time is dear to ask for, so it is asked for once per pass over the ring buffer. Within, time is taken by the clock
  // on the wall, of which the thread has had the CPU for a share.
  struct Pass {
    std::uint64_t cpu_ns = 0;   // of the thread, at the first packet; 0 before
    std::uint64_t wall_ns = 0;  // the same moment
    std::uint64_t spent_ns = 0; // on packets since, by the wall
  };
  Pass pass_;
  double cpu_share_ = 1;
  std::uint64_t second_ns_ = 0;
  double spent_ns_ = 0;  // CPU time in that second, before this pass

  // Longest silent first: those that nDPI looks at, and those that it is done with.
  List open_, done_;
  std::unordered_map<Key, List::iterator, KeyHash> conversations_;
  std::unordered_map<std::uint64_t, List::iterator> by_cookie_;
};

}  // namespace procflow
