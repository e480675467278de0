-- wrk script: sends the request in the file named first, its #### replaced by numbers in turn, so that no two calls in
-- flight are equal.
local requests = {}
local next_request = 0

function init(arguments)
    local file = assert(io.open(arguments[1], "rb"))
    local before, after = file:read("*a"):match("^(.-)####(.*)$")
    file:close()
    for i = 1, 1024 do
        requests[i] = before .. string.format("%04d", i) .. after
    end
end

function request()
    next_request = next_request % #requests + 1
    return requests[next_request]
end
