#include <string>
#include <vector>

#include "mlflow/rewrite.hpp"
#include "mlflow/testing/heads.hpp"

#include <gtest/gtest.h>

namespace mlflow {
namespace {

using testing::lines_of;
using testing::ParsedRequest;
using testing::values_of;
using Values = std::vector<std::string>;

class UpstreamHeadTest : public ::testing::Test {
protected:
    UpstreamHeadTest() {
        rules_.host = "mlflow:5000";
        rules_.via_name = "hokusai-a";
        facts_.request_id = "r-1";
        facts_.traceparent = "00-12345678901234567890123456789012-1234567890123456-01";
        facts_.peer_address = "192.0.2.7";
    }

    std::string rewrite(const ParsedRequest& request) {
        RequestFacts facts = facts_;
        if (facts.target.empty()) {
            facts.target = request->target;
        }
        std::string head;
        append_upstream_head(head, *request, facts, rules_);
        return head;
    }

    // A GET with these fields besides Host.
    std::string rewrite_fields(const std::vector<std::string>& fields) {
        std::string text = "GET /x HTTP/1.1\r\nHost: registry.example\r\n";
        for (const std::string& field : fields) {
            text += field + "\r\n";
        }
        return rewrite(ParsedRequest(text + "\r\n"));
    }

    std::string request_line(std::string_view method, std::string_view target) {
        facts_.target = target;
        return lines_of(rewrite(ParsedRequest({std::string(method) + " /mlflow HTTP/1.1", "Host: h"}))).front();
    }

    RewriteRules rules_;
    RequestFacts facts_;
};

TEST_F(UpstreamHeadTest, is_the_request_with_our_own_fields) {
    facts_.key_id = "k-1";
    facts_.key_name = "training";
    rules_.authorization = "Bearer upstream";
    const std::string head = rewrite(ParsedRequest({"POST /api/2.0/mlflow/runs/search?a=1&a=2 HTTP/1.1",
                                                    "Host: registry.example",
                                                    "User-Agent: mlflow-python-client/3.17.2",
                                                    "Authorization: Bearer caller",
                                                    "Content-Type: application/json",
                                                    "X-MLFLOW-WORKSPACE: team",
                                                    "Content-Length: 12"}));
    EXPECT_EQ(lines_of(head),
              (Values{"POST /api/2.0/mlflow/runs/search?a=1&a=2 HTTP/1.1",
                      "Host: mlflow:5000",
                      "User-Agent: mlflow-python-client/3.17.2",
                      "Content-Type: application/json",
                      "X-MLFLOW-WORKSPACE: team",
                      "Authorization: Bearer upstream",
                      "Content-Length: 12",
                      "X-Forwarded-For: 192.0.2.7",
                      "X-Forwarded-Proto: http",
                      "X-Forwarded-Host: registry.example",
                      "Via: 1.1 hokusai-a",
                      "X-Request-Id: r-1",
                      "traceparent: 00-12345678901234567890123456789012-1234567890123456-01",
                      "X-Hokusai-API-Key-Id: k-1",
                      "X-Hokusai-User-Id: training"}));
}

TEST_F(UpstreamHeadTest, is_appended_to_what_is_there) {
    std::string head = "before";
    facts_.target = "/x";
    append_upstream_head(head, *ParsedRequest({"GET /x HTTP/1.1", "Host: h"}), facts_, rules_);
    EXPECT_TRUE(head.starts_with("beforeGET /x HTTP/1.1\r\n")) << head;
    EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
}

TEST_F(UpstreamHeadTest, has_the_target_below_the_base_path) {
    EXPECT_EQ(request_line("GET", "/version?x=1"), "GET /version?x=1 HTTP/1.1");
    EXPECT_EQ(request_line("GET", "?x=1"), "GET /?x=1 HTTP/1.1");
    EXPECT_EQ(request_line("OPTIONS", "*"), "OPTIONS * HTTP/1.1");
    std::string alone;
    facts_.target = "";
    append_upstream_head(alone, *ParsedRequest({"GET /mlflow HTTP/1.1", "Host: h"}), facts_, rules_);
    EXPECT_EQ(lines_of(alone).front(), "GET / HTTP/1.1");

    rules_.base_path = "/tracking/v1";
    EXPECT_EQ(request_line("GET", "/version"), "GET /tracking/v1/version HTTP/1.1");
    EXPECT_EQ(request_line("GET", "/"), "GET /tracking/v1/ HTTP/1.1");
    EXPECT_EQ(request_line("GET", "?x=1"), "GET /tracking/v1/?x=1 HTTP/1.1");
}

TEST_F(UpstreamHeadTest, keeps_the_method_as_received) {
    for (const std::string_view method : {"GET", "HEAD", "DELETE", "PATCH", "PROPFIND", "M-SEARCH"}) {
        EXPECT_EQ(request_line(method, "/x"), std::string(method) + " /x HTTP/1.1");
    }
}

TEST_F(UpstreamHeadTest, speaks_http_1_1_for_an_older_client_and_says_so_in_via) {
    const std::string head = rewrite(ParsedRequest({"GET /x HTTP/1.0"}));
    EXPECT_EQ(lines_of(head).front(), "GET /x HTTP/1.1");
    EXPECT_EQ(values_of(head, "host"), Values{"mlflow:5000"});
    EXPECT_EQ(values_of(head, "via"), Values{"1.0 hokusai-a"});
}

TEST_F(UpstreamHeadTest, passes_unknown_fields_in_order_with_their_duplicates_and_bytes) {
    const std::string head = rewrite_fields({"Cookie: a=1", "x-odd_NAME!: \xC3\xBC  \"q\"", "cookie: b=2", "X-Empty:"});
    const Values lines = lines_of(head);
    EXPECT_EQ(Values(lines.begin() + 2, lines.begin() + 6),
              (Values{"Cookie: a=1", "x-odd_NAME!: \xC3\xBC  \"q\"", "cookie: b=2", "X-Empty: "}));
}

TEST_F(UpstreamHeadTest, drops_what_belongs_to_one_hop) {
    const std::string head = rewrite_fields({"Connection: keep-alive",
                                             "Keep-Alive: timeout=5",
                                             "Proxy-Connection: keep-alive",
                                             "Proxy-Authorization: Basic eA==",
                                             "Proxy-Authenticate: Basic",
                                             "TE: trailers",
                                             "Trailer: X-Checksum",
                                             "UPGRADE: websocket",
                                             "Expect: 100-continue",
                                             "Origin: https://elsewhere.example",
                                             "X-API-Key: secret"});
    for (const char* name : {"connection",
                             "keep-alive",
                             "proxy-connection",
                             "proxy-authorization",
                             "proxy-authenticate",
                             "te",
                             "trailer",
                             "upgrade",
                             "expect",
                             "origin",
                             "x-api-key"}) {
        EXPECT_EQ(values_of(head, name), Values{}) << name;
    }
    EXPECT_EQ(head.find("secret"), std::string::npos);
}

TEST_F(UpstreamHeadTest, drops_what_connection_names) {
    const std::string head = rewrite_fields(
        {"X-One: 1", "Connection: x-one, close", "X-Two: 2", "connection: X-TWO", "X-Three: 3", "X-One-More: 4"});
    EXPECT_EQ(values_of(head, "x-one"), Values{});
    EXPECT_EQ(values_of(head, "x-two"), Values{});
    EXPECT_EQ(values_of(head, "x-three"), Values{"3"});
    EXPECT_EQ(values_of(head, "x-one-more"), Values{"4"});
}

TEST_F(UpstreamHeadTest, lets_connection_remove_none_of_our_own_fields) {
    facts_.key_id = "k-1";
    facts_.key_name = "training";
    rules_.authorization = "Bearer upstream";
    const std::string head = rewrite_fields(
        {"Connection: Host, Via, X-Forwarded-For, X-Request-Id, traceparent, Authorization, X-Hokusai-User-Id"});
    for (const auto& [name, value] : {std::pair{"host", "mlflow:5000"},
                                      {"via", "1.1 hokusai-a"},
                                      {"x-forwarded-for", "192.0.2.7"},
                                      {"x-request-id", "r-1"},
                                      {"authorization", "Bearer upstream"},
                                      {"x-hokusai-user-id", "training"}}) {
        EXPECT_EQ(values_of(head, name), Values{value}) << name;
    }
    EXPECT_EQ(values_of(head, "traceparent").size(), 1U);
}

TEST_F(UpstreamHeadTest, replaces_request_id_and_trace_parent_and_keeps_trace_state) {
    const std::string head = rewrite_fields({"X-Request-ID: theirs",
                                             "Traceparent: 00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00",
                                             "tracestate: vendor=1"});
    EXPECT_EQ(values_of(head, "x-request-id"), Values{"r-1"});
    EXPECT_EQ(values_of(head, "traceparent"), Values{std::string(facts_.traceparent)});
    EXPECT_EQ(values_of(head, "tracestate"), Values{"vendor=1"});
}

TEST_F(UpstreamHeadTest, names_no_caller_when_no_key_was_asked_for) {
    const std::string head = rewrite_fields({});
    EXPECT_EQ(values_of(head, "x-hokusai-api-key-id"), Values{});
    EXPECT_EQ(values_of(head, "x-hokusai-user-id"), Values{});
}

TEST_F(UpstreamHeadTest, believes_no_identity_a_client_claims_in_any_spelling) {
    const std::string head = rewrite_fields({"X-Hokusai-User-Id: forged",
                                             "x-hokusai-anything: forged",
                                             "X_Hokusai_User_Id: forged",
                                             "x-hokusai_api-key_id: forged",
                                             "X-HOKUSAI-: forged",
                                             "X-Hokusais: honest"});
    EXPECT_EQ(head.find("forged"), std::string::npos) << head;
    EXPECT_EQ(values_of(head, "x-hokusais"), Values{"honest"});
}

TEST_F(UpstreamHeadTest, believes_no_forwarding_of_a_stranger_in_any_spelling) {
    const std::string head = rewrite_fields({"X-Forwarded-For: 6.6.6.6",
                                             "X-Forwarded-Proto: forged",
                                             "X-Forwarded-Host: forged",
                                             "X-Forwarded-Prefix: /forged",
                                             "X_Forwarded_For: 6.6.6.6",
                                             "x-forwarded_host: forged",
                                             "X-Real-IP: 6.6.6.6",
                                             "x_real_ip: 6.6.6.6",
                                             "Forwarded: for=6.6.6.6"});
    EXPECT_EQ(head.find("forged"), std::string::npos) << head;
    EXPECT_EQ(head.find("6.6.6.6"), std::string::npos) << head;
    EXPECT_EQ(values_of(head, "x-forwarded-for"), Values{"192.0.2.7"});
    EXPECT_EQ(values_of(head, "x-forwarded-proto"), Values{"http"});
    EXPECT_EQ(values_of(head, "x-forwarded-host"), Values{"registry.example"});
}

TEST_F(UpstreamHeadTest, extends_the_forwarding_of_a_trusted_proxy) {
    facts_.trusts_peer = true;
    const std::string head = rewrite_fields({"x-forwarded-for: 203.0.113.5, 198.51.100.1",
                                             "X-Forwarded-Proto: https",
                                             "X-Forwarded-Host: public.example",
                                             "X_Forwarded_For: 6.6.6.6"});
    EXPECT_EQ(values_of(head, "x-forwarded-for"), Values{"203.0.113.5, 198.51.100.1, 192.0.2.7"});
    EXPECT_EQ(values_of(head, "x-forwarded-proto"), Values{"https"});
    EXPECT_EQ(values_of(head, "x-forwarded-host"), Values{"public.example"});
    EXPECT_EQ(head.find("6.6.6.6"), std::string::npos) << head;
}

TEST_F(UpstreamHeadTest, begins_the_forwarding_when_a_trusted_proxy_sent_none) {
    facts_.trusts_peer = true;
    const std::string head = rewrite_fields({});
    EXPECT_EQ(values_of(head, "x-forwarded-for"), Values{"192.0.2.7"});
    EXPECT_EQ(values_of(head, "x-forwarded-proto"), Values{"http"});
    EXPECT_EQ(values_of(head, "x-forwarded-host"), Values{"registry.example"});
}

TEST_F(UpstreamHeadTest, appends_itself_to_the_via_chain) {
    const std::string head = rewrite_fields({"Via: 1.0 fred, 1.1 p.example.net", "X-Between: 1", "via: 2 last"});
    EXPECT_EQ(values_of(head, "via"), Values{"1.0 fred, 1.1 p.example.net, 2 last, 1.1 hokusai-a"});
}

TEST_F(UpstreamHeadTest, never_shows_the_caller_s_credential_upstream) {
    EXPECT_EQ(values_of(rewrite_fields({"Authorization: Bearer caller"}), "authorization"), Values{});
    rules_.authorization = "Basic dTpw";
    EXPECT_EQ(values_of(rewrite_fields({"AUTHORIZATION: Bearer caller"}), "authorization"), Values{"Basic dTpw"});
    EXPECT_EQ(values_of(rewrite_fields({}), "authorization"), Values{"Basic dTpw"});
}

TEST_F(UpstreamHeadTest, shows_the_caller_s_credential_when_told_to_and_then_no_other) {
    rules_.authorization = "Basic dTpw";
    rules_.forwards_caller_authorization = true;
    const std::string head = rewrite_fields({"Authorization: Bearer caller", "X-API-Key: secret"});
    EXPECT_EQ(values_of(head, "authorization"), Values{"Bearer caller"});
    EXPECT_EQ(values_of(head, "x-api-key"), Values{});
    EXPECT_EQ(values_of(rewrite_fields({}), "authorization"), Values{});
}

TEST_F(UpstreamHeadTest, frames_the_body_anew) {
    const auto framing_of = [this](std::string_view method, std::string_view field) {
        const std::string text = std::string(method) + " /x HTTP/1.1\r\nHost: h\r\n" + std::string(field);
        const std::string head = rewrite(ParsedRequest(text + "\r\n"));
        Values framing = values_of(head, "content-length");
        for (const std::string& coding : values_of(head, "transfer-encoding")) {
            framing.push_back(coding);
        }
        return framing;
    };
    EXPECT_EQ(framing_of("PUT", "Content-Length: 5368709120\r\n"), Values{"5368709120"});
    EXPECT_EQ(framing_of("PUT", "content-length: 007\r\n"), Values{"7"});
    EXPECT_EQ(framing_of("PUT", "transfer-encoding: CHUNKED\r\n"), Values{"chunked"});
    EXPECT_EQ(framing_of("DELETE", "Content-Length: 2\r\n"), Values{"2"});
    EXPECT_EQ(framing_of("POST", "Content-Length: 0\r\n"), Values{"0"});
    EXPECT_EQ(framing_of("GET", ""), Values{});
    EXPECT_EQ(framing_of("POST", ""), Values{});
}

TEST_F(UpstreamHeadTest, is_read_by_a_strict_parser_as_one_request) {
    const std::string head = rewrite_fields({"Connection: close", "Via: 1.1 a", "X-Forwarded-For: 6.6.6.6"});
    const ParsedRequest again(head);
    EXPECT_TRUE(again->is_keep_alive);
    EXPECT_EQ(again->fields.count(http::FieldName::host), 1U);
    EXPECT_EQ(again->framing.kind, http::Framing::Kind::none);
}

TEST(ViaLoop, is_found_by_our_own_name_in_any_of_the_hops) {
    const auto is_looping = [](std::initializer_list<std::string_view> lines) {
        return is_loop((*ParsedRequest(lines)).fields, "hokusai-a");
    };
    EXPECT_TRUE(is_looping({"GET / HTTP/1.1", "Host: h", "Via: 1.1 hokusai-a"}));
    EXPECT_TRUE(is_looping({"GET / HTTP/1.1", "Host: h", "via: 1.0 fred, HTTP/1.1 hokusai-a , 1.1 nginx"}));
    EXPECT_TRUE(is_looping({"GET / HTTP/1.1", "Host: h", "Via: 1.1 nginx", "Via: 1.0 hokusai-a"}));
    EXPECT_FALSE(is_looping({"GET / HTTP/1.1", "Host: h"}));
    EXPECT_FALSE(is_looping({"GET / HTTP/1.1", "Host: h", "Via:"}));
    EXPECT_FALSE(is_looping({"GET / HTTP/1.1", "Host: h", "Via: 1.1 hokusai-b, 1.1 hokusai-ab"}));
    EXPECT_FALSE(is_looping({"GET / HTTP/1.1", "Host: h", "X-Via: 1.1 hokusai-a"}));
}

TEST_F(UpstreamHeadTest, is_known_again_when_it_comes_back) {
    EXPECT_TRUE(is_loop((*ParsedRequest(rewrite_fields({"Via: 1.1 other"}))).fields, rules_.via_name));
}

}  // namespace
}  // namespace mlflow
