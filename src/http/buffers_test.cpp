#include "http/buffers.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/random.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

// Puts `bytes` in as a read would, and answers how many fitted.
std::size_t fill(InputBuffer& buffer, std::string_view bytes) {
    const boost::asio::mutable_buffer room = buffer.prepare();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    buffer.commit(count);
    return count;
}

TEST(InputBuffer, holds_nothing_at_first) {
    InputBuffer buffer(100);

    EXPECT_EQ(buffer.bytes(), "");
    EXPECT_EQ(buffer.prepare().size(), 100U);
}

TEST(InputBuffer, starts_small_and_grows_only_when_reads_fill_it) {
    InputBuffer buffer(1024UL * 1024);
    EXPECT_EQ(buffer.prepare().size(), 8U * 1024);

    fill(buffer, std::string(100, 'x'));
    buffer.consume(100);
    EXPECT_EQ(buffer.prepare().size(), 8U * 1024);

    EXPECT_EQ(fill(buffer, std::string(20'000, 'y')), 8U * 1024);
    EXPECT_GT(buffer.prepare().size(), 8U * 1024);
    EXPECT_EQ(buffer.bytes(), std::string(8UL * 1024, 'y'));
}

TEST(InputBuffer, offers_no_room_when_its_limit_waits_to_be_parsed) {
    InputBuffer buffer(10'000);
    std::size_t total = 0;
    for (std::size_t count = 1; count > 0; total += count) {
        count = fill(buffer, std::string(4'000, 'x'));
    }
    EXPECT_EQ(total, 10'000U);

    buffer.consume(1);

    EXPECT_EQ(buffer.prepare().size(), 1U);
    EXPECT_EQ(buffer.bytes().size(), 9'999U);
}

TEST(InputBuffer, gives_its_memory_back_only_when_empty) {
    InputBuffer buffer(100'000);
    while (buffer.prepare().size() <= 8UL * 1024) {
        fill(buffer, std::string(10'000, 'x'));
    }
    buffer.release_if_empty();
    EXPECT_FALSE(buffer.bytes().empty());

    buffer.consume(buffer.bytes().size());
    buffer.release_if_empty();

    EXPECT_EQ(buffer.bytes(), "");
    EXPECT_EQ(buffer.prepare().size(), 8U * 1024) << "a new start is small again";
}

TEST(InputBuffer, behaves_like_a_string_under_any_order_of_calls) {
    for (const std::size_t limit : {1UL, 7UL, 5'000UL, 20'000UL, 64UL * 1024}) {
        base::SeededRandom random(limit);
        InputBuffer buffer(limit);
        std::string model;
        char next = 'a';
        for (int round = 0; round < 5'000; ++round) {
            switch (random.next() % 5) {
                case 0:
                case 1:
                case 2: {
                    const boost::asio::mutable_buffer room = buffer.prepare();
                    ASSERT_EQ(buffer.bytes(), model) << "prepare() keeps what is there";
                    ASSERT_LE(model.size() + room.size(), limit);
                    ASSERT_TRUE(room.size() > 0 || model.size() == limit) << round;
                    const std::size_t count = random.next() % 4 == 0 ? room.size() : random.next() % (room.size() + 1);
                    const std::string bytes(count, next);
                    next = next == 'z' ? 'a' : static_cast<char>(next + 1);
                    std::memcpy(room.data(), bytes.data(), count);
                    buffer.commit(count);
                    model += bytes;
                    break;
                }
                case 3: {
                    const std::size_t count =
                        random.next() % 2 == 0 ? model.size() : random.next() % (model.size() + 1);
                    buffer.consume(count);
                    model.erase(0, count);
                    break;
                }
                default:
                    buffer.release_if_empty();
            }
            ASSERT_EQ(buffer.bytes(), model) << "limit " << limit << ", round " << round;
        }
    }
}

}  // namespace
}  // namespace http
