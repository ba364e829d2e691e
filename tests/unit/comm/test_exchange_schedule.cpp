// The messages between hosts, counted: those that the program posts, for more hosts than a test can start.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <vector>

#include "../float_comparison.hpp"
#include "mnist_dist/comm/exchange_schedule.hpp"

using namespace mnist_dist;
using comm::HostMessage;
using comm::ParameterBlock;

namespace {

/// That are not to be cut.
std::vector<ParameterBlock> blocks_of(std::size_t blocks, std::size_t size) {
  std::vector<ParameterBlock> all;
  for (std::size_t i = 0; i < blocks; ++i) {
    all.push_back({{i * size, (i + 1) * size}, i < blocks / 2 ? 1.0 : 3.0, size});
  }
  return all;
}

std::map<int, std::size_t> bytes_sent(const std::vector<HostMessage>& messages) {
  std::map<int, std::size_t> bytes;
  for (const HostMessage& message : messages) bytes[message.from] += message.bytes;
  return bytes;
}

std::map<int, std::size_t> messages_sent(const std::vector<HostMessage>& messages) {
  std::map<int, std::size_t> count;
  for (const HostMessage& message : messages) ++count[message.from];
  return count;
}

/// No message is empty, goes to its sender, or stands twice.
void check_sound(const std::vector<HostMessage>& messages) {
  std::set<std::vector<int>> seen;
  for (const HostMessage& message : messages) {
    CHECK(message.bytes > 0);
    CHECK(message.from != message.to);
    CHECK(seen.insert({message.phase, message.from, message.to}).second);
  }
}

std::vector<std::size_t> numbers_of_sums(const std::vector<int>& ranks_of_hosts, std::size_t shards) {
  std::vector<std::size_t> numbers;
  for (const std::vector<TreeNode>& sums : comm::sums_of_hosts(ranks_of_hosts, shards)) numbers.push_back(sums.size());
  return numbers;
}

constexpr comm::Link kLink{.latency = 50e-6, .bytes_per_second = 1e8};

}  // namespace

TEST_CASE("64 hosts of 64 ranks: at most 130 messages a host and step, and hardly more bytes than must be") {
  const std::vector<int> hosts(64, 64);
  const std::vector<ParameterBlock> blocks = blocks_of(1200, 448);
  const std::vector<HostMessage> messages = comm::messages_of_gradients(hosts, 4096, blocks);
  check_sound(messages);
  const double least = 4.0 * 1200 * 448 * 2 * 63 / 64;
  for (const auto& [host, count] : messages_sent(messages)) CHECK(count <= 130);
  std::size_t all = 0;
  for (const auto& [host, bytes] : bytes_sent(messages)) {
    CHECK(static_cast<double>(bytes) < 1.1 * least);
    all += bytes;
  }
  CHECK(is_close(static_cast<double>(all), 64 * least, 1e-9));
  const comm::HostTraffic traffic = comm::traffic_of(messages, kLink);
  CHECK(traffic.phases == 2);
  CHECK(traffic.messages == 126);
  CHECK(static_cast<double>(traffic.bytes) < 1.1 * least);
}

TEST_CASE("fewer blocks than hosts: those without parameters get no sums and send no parameters") {
  const std::vector<HostMessage> messages = comm::messages_of_gradients(std::vector<int>(8, 2), 16, blocks_of(3, 100));
  check_sound(messages);
  std::size_t with_parameters = 0;
  for (const ParameterRange& range : comm::ranges_of_hosts(std::vector<int>(8, 2), blocks_of(3, 100))) {
    with_parameters += range.size() > 0 ? 1 : 0;
  }
  CHECK(with_parameters == 3);
  CHECK(messages.size() == 2 * 3 * 7);
}

TEST_CASE("hosts own parameters as they have ranks, whatever the blocks' gradients cost") {
  const std::vector<ParameterRange> ranges = comm::ranges_of_hosts({1, 2, 1}, blocks_of(8, 10));
  CHECK(ranges == std::vector<ParameterRange>{{0, 20}, {20, 60}, {60, 80}});
}

TEST_CASE("a block that reaches over several hosts' parameters is cut at its grains") {
  const std::vector<ParameterBlock> blocks = {{{0, 25}, 10, 4}, {{25, 30}, 3, 5}};
  const std::vector<ParameterRange> ranges = comm::ranges_of_hosts({1, 1, 1}, blocks);
  CHECK(ranges == std::vector<ParameterRange>{{0, 8}, {8, 20}, {20, 30}});
  std::vector<ParameterRange> parts;
  double cost = 0;
  for (const ParameterRange& range : ranges) {
    for (const ParameterBlock& part : comm::blocks_within(range, blocks)) {
      parts.push_back(part.range);
      cost += part.cost;
    }
  }
  CHECK(parts == std::vector<ParameterRange>{{0, 8}, {8, 20}, {20, 25}, {25, 30}});
  CHECK(is_close(cost, 13, 1e-12));
  CHECK(comm::blocks_within({30, 30}, blocks).empty());
}

TEST_CASE("a host's shards leave as few sums as the tree allows") {
  CHECK(numbers_of_sums({4}, 8) == std::vector<std::size_t>{1});
  CHECK(numbers_of_sums({2, 2}, 8) == std::vector<std::size_t>{1, 1});
  CHECK(numbers_of_sums({3, 5}, 8) == std::vector<std::size_t>{2, 2});  // 0-1, 2; 3, 4-7
  CHECK(numbers_of_sums({2, 1, 1}, 8) == std::vector<std::size_t>{1, 1, 1});
  CHECK(numbers_of_sums({1, 1}, 2) == std::vector<std::size_t>{1, 1});
}

TEST_CASE("each host's activations go to all others, at once") {
  const std::vector<HostMessage> messages = comm::messages_of_activations({100, 300, 200});
  check_sound(messages);
  CHECK(messages.size() == 6);
  CHECK(bytes_sent(messages) == std::map<int, std::size_t>{{0, 200}, {1, 600}, {2, 400}});
  const comm::HostTraffic traffic = comm::traffic_of(messages, kLink);
  CHECK(traffic.phases == 1);
  CHECK(traffic.messages == 2);
  CHECK(traffic.bytes == 600);
  CHECK(traffic.seconds > kLink.latency + 600 / kLink.bytes_per_second);
  CHECK(traffic.seconds < kLink.latency + 600 / kLink.bytes_per_second + 100e-6);
}

TEST_CASE("a single host sends nothing") {
  CHECK(comm::messages_of_gradients({5}, 8, blocks_of(9, 10)).empty());
  CHECK(comm::messages_of_activations({77}).empty());
  CHECK(comm::traffic_of({}, kLink) == comm::HostTraffic{});
}
