#include "http/message_parser.hpp"

#include <functional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "http/testing/parse_all.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

using testing::cut;
using testing::drip;
using testing::parse_requests;
using testing::parse_responses;

struct Sample {
    std::string bytes;
    std::string told;
};

const std::vector<Sample> kRequests{
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "{GET /? 1.1 Host=[a] none}<end>"},
    {"GET /a/b?c=d?e&f HTTP/1.1\r\nHost: a:80\r\nX-Empty:\r\nX-Spaced: \t b c \t\r\n\r\n",
     "{GET /a/b?c=d?e&f 1.1 Host=[a:80] X-Empty=[] X-Spaced=[b c] none}<end>"},
    {"GET /a%2Fb%20c HTTP/1.1\r\nhOsT: a\r\nCookie: 1\r\ncookie: 2\r\n\r\n",
     "{GET /a%2Fb%20c? 1.1 hOsT=[a] Cookie=[1] cookie=[2] none}<end>"},
    {"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
     "{HEAD /? 1.1 Host=[a] Connection=[close] none close}<end>"},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "{OPTIONS *? 1.1 Host=[a] none}<end>"},
    {"GET / HTTP/1.0\r\n\r\n", "{GET /? 1.0 none close}<end>"},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "{GET /? 1.0 Connection=[Keep-Alive] none}<end>"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
     "{POST /? 1.1 Host=[a] Content-Length=[5] length 5}hello<end>"},
    {"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "{PUT /x? 1.1 Host=[a] Content-Length=[0] none}<end>"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n\r\n\r\nG ",
     "{POST /? 1.1 Host=[a] Content-Length=[6] length 6}\r\n\r\nG <end>"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
     "{POST /? 1.1 Host=[a] Transfer-Encoding=[chunked] chunked}hello!<end>"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n000A;a=b;c=\"d "
     "e\"\r\n0123456789\r\n0;last\r\n\r\n",
     "{POST /? 1.1 Host=[a] Transfer-Encoding=[Chunked] chunked}0123456789<end>"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\r\n\r\r\n0\r\nAuthorization: x\r\nHost: "
     "b\r\n\r\n",
     "{POST /? 1.1 Host=[a] Transfer-Encoding=[chunked] chunked}\r\n\r<end>"},
    {"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "{BREW /pot? 1.1 Host=[a] none}<end>"},
    {"GET http://A:5/p?q HTTP/1.1\r\nHost: a:5\r\n\r\n", "{GET /p?q 1.1 Host=[a:5] none}<end>"},
    {"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\n\r\nabc"
     "PUT /3 HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\nGET /4 "
     "HTTP/1.1\r\nHost: d\r\n\r\n",
     "{GET /1? 1.1 Host=[a] none}<end>{POST /2? 1.1 Host=[b] Content-Length=[3] length 3}abc<end>"
     "{PUT /3? 1.1 Host=[c] Transfer-Encoding=[chunked] chunked}x<end>{GET /4? 1.1 Host=[d] none}<end>"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab",
     "{POST /? 1.1 Host=[a] Content-Length=[4] length 4}ab"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
     "{POST /? 1.1 Host=[a] Transfer-Encoding=[chunked] chunked}ab"},
    {"GET / HTTP/1.1\r\nHost: a\r\n", ""},
};

const std::vector<Sample> kResponses{
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "{200 OK 1.1 Content-Length=[2] length 2}hi<end>"},
    {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "{200  1.1 Content-Length=[0] none}<end>"},
    {"HTTP/1.1 404 Not Found Here\r\nServer: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nn",
     "{404 Not Found Here 1.1 Server=[x] Content-Length=[1] Connection=[close] length 1 close}n<end>"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nhi",
     "{200 OK 1.1 Content-Length=[2] content-length=[2] length 2}hi<end>"},
    {"HTTP/1.1 204 No Content\r\nDate: today\r\n\r\n", "{204 No Content 1.1 Date=[today] none}<end>"},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: \"a\"\r\n\r\n",
     "{304 Not Modified 1.1 Content-Length=[99] ETag=[\"a\"] none}<end>"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
     "1\r\n\r\nx",
     "{100 Continue 1.1 none}<end>{103 Early Hints 1.1 Link=[a] none}<end>{200 OK 1.1 Content-Length=[1] length "
     "1}x<end>"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=\"1\"\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n",
     "{200 OK 1.1 Transfer-Encoding=[chunked] chunked}abcdefg<end>"},
    {"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\nConnection: Close\r\n\r\nff\r\n" + std::string(255, 'e') +
         "\r\n0\r\n\r\n",
     "{500 Oops 1.1 Transfer-Encoding=[chunked] Connection=[Close] chunked close}" + std::string(255, 'e') + "<end>"},
    {"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nuntil\r\n\r\nclose",
     "{200 OK 1.1 Server=[x] until close close}until\r\n\r\nclose"},
    {"HTTP/1.0 200 OK\r\n\r\nold", "{200 OK 1.0 until close close}old"},
    {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nold",
     "{200 OK 1.0 Content-Length=[3] Connection=[keep-alive] length 3}old<end>"},
    {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", "{200 OK 1.0 Content-Length=[3] length 3 close}old<end>"},
    {"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 201 Created\r\n"
     "Content-Length: 2\r\n\r\nyz",
     "{200 OK 1.1 Set-Cookie=[a=1] Set-Cookie=[b=2] Content-Length=[1] length 1}x<end>"
     "{201 Created 1.1 Content-Length=[2] length 2}yz<end>"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "{200 OK 1.1 Content-Length=[5] length 5}he"},
};

const std::vector<Sample> kBrokenRequests{
    {"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
     "!invalid_argument: a field value must not continue on the next line"},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\tfolded\r\n\r\n",
     "!invalid_argument: a field value must not continue on the next line"},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "!invalid_argument"},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "!invalid_argument"},
    {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "!invalid_argument"},
    {"GET / HTTP/1.1\r\nHost: a\r\nNoColon\r\n\r\n", "!invalid_argument"},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "!invalid_argument"},
    {std::string("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 35), "!invalid_argument"},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "!invalid_argument"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "!invalid_argument"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", "!invalid_argument"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", "!invalid_argument"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n", "!invalid_argument"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", "!invalid_argument"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\"\n\"\r\nx\r\n0\r\n\r\n",
     "!invalid_argument: chunk extensions must be short, on one line"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;a=\"\n\"\r\n\r\n",
     "!invalid_argument: chunk extensions must be short, on one line"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n",
     "!invalid_argument"},
};

// Whatever the places at which the network cuts `bytes`, `parse` must tell the same.
void expect_same_for_every_cut(const std::string& bytes,
                               const std::string& told,
                               const std::function<std::string(const std::vector<std::string_view>&)>& parse) {
    ASSERT_EQ(parse({bytes}), told) << bytes;
    EXPECT_EQ(parse(drip(bytes)), told) << "byte after byte: " << bytes;
    for (std::size_t place = 0; place <= bytes.size(); ++place) {
        ASSERT_EQ(parse(cut(bytes, {place})), told) << "cut at " << place << ": " << bytes;
    }
    base::SeededRandom random(bytes.size());
    for (int round = 0; round < 200; ++round) {
        std::vector<std::size_t> places(1 + random.next() % 6);
        for (std::size_t& place : places) {
            place = random.next() % (bytes.size() + 1);
        }
        std::sort(places.begin(), places.end());
        ASSERT_EQ(parse(cut(bytes, places)), told) << "round " << round << ": " << bytes;
    }
}

TEST(RequestParser, tells_the_same_however_the_bytes_arrive) {
    for (const Sample& sample : kRequests) {
        expect_same_for_every_cut(sample.bytes, sample.told, [](const auto& pieces) { return parse_requests(pieces); });
    }
}

TEST(RequestParser, tells_the_same_of_an_empty_chunked_body_however_it_arrives) {
    expect_same_for_every_cut("PATCH / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                              "{PATCH /? 1.1 Host=[a] Transfer-Encoding=[chunked] chunked}<end>",
                              [](const auto& pieces) { return parse_requests(pieces); });
}

TEST(ResponseParser, tells_the_same_however_the_bytes_arrive) {
    for (const Sample& sample : kResponses) {
        expect_same_for_every_cut(
            sample.bytes, sample.told, [](const auto& pieces) { return parse_responses(pieces); });
    }
}

TEST(RequestParser, refuses_the_same_however_the_bytes_arrive) {
    for (const Sample& sample : kBrokenRequests) {
        expect_same_for_every_cut(sample.bytes, sample.told, [&](const auto& pieces) {
            // Up to where the sample's expectation goes: some say no more than that it is refused.
            const std::string told = parse_requests(pieces);
            return told.substr(std::min(told.find('!'), told.size())).substr(0, sample.told.size());
        });
    }
}

TEST(ResponseParser, expects_no_body_in_an_answer_to_head) {
    const std::string bytes =
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "HTTP/1.1 404 Not Found\r\n\r\n";

    expect_same_for_every_cut(
        bytes,
        "{200 OK 1.1 Content-Length=[9] none}<end>{200 OK 1.1 Transfer-Encoding=[chunked] none}<end>"
        "{404 Not Found 1.1 none}<end>",
        [](const auto& pieces) { return parse_responses(pieces, Method::head); });
}

TEST(ResponseParser, tells_whether_a_close_completes_the_message) {
    const auto completes = [](const std::string& bytes) {
        ResponseParser parser({});
        std::string_view rest = bytes;
        for (base::Result<ParseStep> step = parser.parse(rest); step && step->event != ParseStep::Event::need_more;
             step = parser.parse(rest)) {
            rest.remove_prefix(step->consumed);
            if (step->event == ParseStep::Event::end) {
                break;
            }
        }
        return parser.finish_at_close();
    };

    EXPECT_TRUE(completes("HTTP/1.1 200 OK\r\n\r\n"));
    EXPECT_TRUE(completes("HTTP/1.1 200 OK\r\n\r\nsome"));
    EXPECT_TRUE(completes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"));
    EXPECT_FALSE(completes(""));
    EXPECT_FALSE(completes("HTTP/1.1 200 OK\r\n"));
    EXPECT_FALSE(completes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"));
    EXPECT_FALSE(completes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"));
    EXPECT_FALSE(completes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"));
    EXPECT_FALSE(completes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"));
}

TEST(ResponseParser, refuses_what_is_not_http) {
    for (const char* bytes : {"HTTP/1.1 20 OK\r\n\r\n",
                              "HTTP/1.1 abc OK\r\n\r\n",
                              "SSH-2.0-OpenSSH_9.2\r\n\r\n",
                              "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                              "HTTP/1.1 200 OK\r\n: a\r\n\r\n"}) {
        EXPECT_TRUE(parse_responses({bytes}).starts_with("!invalid_argument")) << bytes << parse_responses({bytes});
    }
}

TEST(RequestParser, forgets_the_last_message_when_started_again) {
    RequestParser parser({});
    ASSERT_TRUE(parser.parse("POST /1 HTTP/1.1\r\nHost: a\r\nX: 1\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"));

    parser.start();
    const base::Result<ParseStep> step = parser.parse("GET /2 HTTP/1.1\r\nHost: b\r\n\r\n");

    ASSERT_TRUE(step);
    EXPECT_EQ(step->event, ParseStep::Event::head);
    EXPECT_EQ(testing::describe(parser.head()), "GET /2? 1.1 Host=[b] none");
}

}  // namespace
}  // namespace http
