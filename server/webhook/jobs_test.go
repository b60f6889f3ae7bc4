package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/reverb-go/reverb-go/channels"
	"github.com/reverb-go/reverb-go/internal/services"
)

const jobClass = `App\Jobs\ReverbEvent`

func TestCommand(t *testing.T) {
	inPresence := clientEvent("presence-p", "client-x", `{"é":"☃"}`)
	inPresence.UserID = "7"
	at := time.UnixMilli(1327078148132)
	for _, tc := range []struct {
		name  string
		event channels.Event
		want  string
	}{
		{"occupied", occupied("a"), `O:20:"App\Jobs\ReverbEvent":9:{s:5:"appId";s:1:"1";s:4:"name";s:16:"channel_occupied";s:7:"channel";s:1:"a";` +
			`s:6:"userId";N;s:5:"event";N;s:4:"data";N;s:8:"socketId";N;s:17:"subscriptionCount";N;s:6:"timeMs";i:1327078148132;}`},
		{"member", removed("presence-é", "7"), `O:20:"App\Jobs\ReverbEvent":9:{s:5:"appId";s:1:"1";s:4:"name";s:14:"member_removed";s:7:"channel";s:11:"presence-é";` +
			`s:6:"userId";s:1:"7";s:5:"event";N;s:4:"data";N;s:8:"socketId";N;s:17:"subscriptionCount";N;s:6:"timeMs";i:1327078148132;}`},
		{"client event", inPresence, `O:20:"App\Jobs\ReverbEvent":9:{s:5:"appId";s:1:"1";s:4:"name";s:12:"client_event";s:7:"channel";s:10:"presence-p";` +
			`s:6:"userId";s:1:"7";s:5:"event";s:8:"client-x";s:4:"data";s:12:"{"é":"☃"}";s:8:"socketId";s:5:"12.34";s:17:"subscriptionCount";N;s:6:"timeMs";i:1327078148132;}`},
		{"count", channels.Event{Name: channels.SubscriptionCount, Channel: "a", Count: 3}, `O:20:"App\Jobs\ReverbEvent":9:{s:5:"appId";s:1:"1";s:4:"name";s:18:"subscription_count";s:7:"channel";s:1:"a";` +
			`s:6:"userId";N;s:5:"event";N;s:4:"data";N;s:8:"socketId";N;s:17:"subscriptionCount";i:3;s:6:"timeMs";i:1327078148132;}`},
	} {
		got := appendCommand(nil, jobClass, &record{app: newApp(t, "1", "s"), at: at, event: tc.event})
		wantEqual(t, tc.name, string(got), tc.want)
	}
}

// TestJobs looks at every key and field that a worker of Laravel finds in Redis.
func TestJobs(t *testing.T) {
	srv := startRedis(t)
	d := start(t, Config{"1": {Jobs: []Jobs{{Queue: "reverb", Class: jobClass, Events: []channels.EventName{channels.ChannelOccupied, channels.ClientEvent}}}}}, srv.options())
	app := newApp(t, "1", "s")
	began := time.Now().Truncate(time.Millisecond)
	for _, e := range []channels.Event{occupied("a"), added("p", "7"), clientEvent("a", "client-x", "\x00\"é/")} {
		d.Notify(app, e)
	}
	stop(t, d)

	keys, err := srv.Client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	wantList(t, "keys", keys, "laravel_database_queues:reverb", "laravel_database_queues:reverb:notify")
	wantList(t, "notifications", srv.list("laravel_database_queues:reverb:notify"), "1", "1")

	payloads := srv.list("laravel_database_queues:reverb")
	if len(payloads) != 2 {
		t.Fatalf("got %d jobs, want 2", len(payloads))
	}
	var uuids []string
	for i, want := range []string{`s:4:"name";s:16:"channel_occupied";`, `s:4:"data";s:5:"` + "\x00\"é/" + `";`} {
		uuids = append(uuids, wantPayload(t, payloads[i], want, began))
	}
	if uuids[0] == uuids[1] {
		t.Errorf("two jobs have the uuid %s", uuids[0])
	}
}

// wantPayload checks the fields of one job, and their order, and returns the uuid.
func wantPayload(t *testing.T, payload, inCommand string, began time.Time) (uuid string) {
	t.Helper()
	var order []string
	dec := json.NewDecoder(strings.NewReader(payload))
	dec.Token()
	fields := make(map[string]json.RawMessage)
	for dec.More() {
		name, _ := dec.Token()
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			t.Fatalf("%v in %s", err, payload)
		}
		order = append(order, name.(string))
		fields[name.(string)] = value
	}
	wantEqual(t, "fields", strings.Join(order, " "), "uuid displayName job maxTries maxExceptions failOnTimeout backoff timeout retryUntil data createdAt id attempts delay pushedAt")
	for name, want := range map[string]string{
		"displayName": `"App\\Jobs\\ReverbEvent"`, "job": `"Illuminate\\Queue\\CallQueuedHandler@call"`,
		"maxTries": "null", "maxExceptions": "null", "failOnTimeout": "false", "backoff": "null", "timeout": "null", "retryUntil": "null",
		"attempts": "0", "delay": "null", "id": string(fields["uuid"]),
	} {
		wantEqual(t, name, string(fields[name]), want)
	}
	uuid = string(fields["uuid"])
	if !regexp.MustCompile(`^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$`).MatchString(uuid) {
		t.Errorf("uuid is %s, want one of version 4", uuid)
	}
	var data struct {
		CommandName, Command string
		BatchID              any
	}
	if err := json.Unmarshal(fields["data"], &data); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "commandName", data.CommandName, jobClass)
	if !strings.HasPrefix(data.Command, `O:20:"App\Jobs\ReverbEvent":9:{`) || !strings.Contains(data.Command, inCommand) {
		t.Errorf("command is %q, want an object with %q", data.Command, inCommand)
	}
	wantTime(t, "createdAt", string(fields["createdAt"]), began.Truncate(time.Second))
	wantTime(t, "pushedAt", strings.Trim(string(fields["pushedAt"]), `"`), began)
	return uuid
}

// wantTime checks a time in seconds since 1970.
func wantTime(t *testing.T, what, got string, notBefore time.Time) {
	t.Helper()
	seconds, err := strconv.ParseFloat(got, 64)
	at := time.UnixMicro(int64(seconds * 1e6))
	if err != nil || at.Before(notBefore) || at.After(time.Now()) {
		t.Errorf("%s is %s (%v), want a time between %v and now", what, got, err, notBefore)
	}
}

// A worker takes a job with a script that decodes the payload, counts the attempt, and encodes it again. That has
// to leave it as it was.
func TestJobsAreTaken(t *testing.T) {
	srv := startRedis(t)
	d := start(t, Config{"1": {Jobs: []Jobs{{Class: jobClass}}}}, srv.options())
	app := newApp(t, "1", "s")
	d.Notify(app, clientEvent("a", "client-x", "\x00é/"))
	stop(t, d)
	const take = `
local job = redis.call('LPOP', KEYS[1])
local again = cjson.decode(job)
again.attempts = again.attempts + 1
redis.call('LPOP', KEYS[2])
return {job, cjson.encode(again)}`
	key := "laravel_database_queues:default"
	got, err := srv.Client.Eval(t.Context(), take, []string{key, key + ":notify"}).StringSlice()
	if err != nil {
		t.Fatal(err)
	}
	var before, after map[string]any
	if err := json.Unmarshal([]byte(got[0]), &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(got[1]), &after); err != nil {
		t.Fatal(err)
	}
	before["attempts"] = 1
	wantEqual(t, "payload", fmt.Sprint(after), fmt.Sprint(before))
	wantEqual(t, "keys left", len(srv.Client.Keys(t.Context(), "*").Val()), 0)
}

// P:WHK-08 for Redis: while it is down everything waits, in order, and Notify does not.
func TestRedisDown(t *testing.T) {
	srv := startRedis(t)
	opts := srv.options()
	opts.Counters = newCounters()
	d := start(t, Config{"1": {Jobs: []Jobs{{Class: jobClass}}, Streams: []Stream{{Key: "events"}}}}, opts)
	app := newApp(t, "1", "s")
	srv.stop()
	for i := range 250 {
		d.Notify(app, occupied(fmt.Sprint(i)))
	}
	srv.eventually("both have failed", func() bool { return count(opts.Counters.Failed) >= 2 })
	srv.start()
	srv.eventually("all are delivered", func() bool { return count(opts.Counters.Sent) >= 500 })
	payloads := srv.list("laravel_database_queues:default")
	wantEqual(t, "jobs", len(payloads), 250)
	for i, p := range payloads {
		if want := fmt.Sprintf(`\"channel\";s:%d:\"%d\";`, len(fmt.Sprint(i)), i); !strings.Contains(p, want) {
			t.Errorf("job %d is not of channel %d: %s", i, i, p)
		}
	}
	wantEqual(t, "entries", int(srv.Client.XLen(t.Context(), "laravel_database_events").Val()), 250)
	wantEqual(t, "dropped", count(opts.Counters.Dropped), 0)
}

// What a closing node could not push is in the file, and can be pushed from there.
func TestRetryJobs(t *testing.T) {
	srv := startRedis(t)
	file := filepath.Join(t.TempDir(), "dead.jsonl")
	cfg := Config{"1": {Jobs: []Jobs{{Class: jobClass}}, Streams: []Stream{{Key: "events"}}}}
	opts := srv.options()
	opts.DeadLetters = file
	d := start(t, cfg, opts)
	srv.stop()
	d.Notify(newApp(t, "1", "s"), added("p", "7"))
	stop(t, d)
	wantEqual(t, "letters", len(lettersIn(t, file)), 2)

	srv.start()
	a := newAgain(t, cfg)
	a.file, a.opts.Redis = file, opts.Redis
	a.opts.URL = hook // concerns endpoints only
	a.retry(t, 2, 0)
	wantEqual(t, "jobs", len(srv.list("laravel_database_queues:default")), 1)
	wantEqual(t, "entries", int(srv.Client.XLen(t.Context(), "laravel_database_events").Val()), 1)
}

func TestStream(t *testing.T) {
	srv := startRedis(t)
	d := start(t, Config{"1": {Streams: []Stream{{Key: "events", MaxLen: 50, Channels: []string{"a"}}}}}, srv.options())
	app := newApp(t, "1", "s")
	for i := range 1000 {
		d.Notify(app, added("a", fmt.Sprint(i)))
	}
	for _, e := range []channels.Event{occupied("a"), occupied("b"), {Name: channels.SubscriptionCount, Channel: "a", Count: 3}, clientEvent("a", "client-x", "d")} {
		d.Notify(app, e)
	}
	stop(t, d)
	entries, err := srv.Client.XRange(t.Context(), "laravel_database_events", "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 50 || len(entries) > 250 {
		t.Errorf("got %d entries, want about 50", len(entries))
	}
	var got []string
	for _, e := range entries[len(entries)-4:] {
		delete(e.Values, "time_ms")
		got = append(got, fmt.Sprint(e.Values))
	}
	wantList(t, "entries", got,
		"map[app_id:1 channel:a name:member_added user_id:999]",
		"map[app_id:1 channel:a name:channel_occupied]",
		"map[app_id:1 channel:a name:subscription_count subscription_count:3]",
		"map[app_id:1 channel:a data:d event:client-x name:client_event socket_id:12.34]",
	)
}

func TestUnknownRedis(t *testing.T) {
	srv := startRedis(t)
	_, err := New(Config{"1": {Streams: []Stream{{Key: "events", Connection: "queue"}}}}, srv.options())
	if err == nil || !strings.Contains(err.Error(), `stream events: there is no Redis "queue"`) {
		t.Errorf("New: got %v", err)
	}
}

func TestQueueKey(t *testing.T) {
	single := redis.NewClient(&redis.Options{})
	defer single.Close()
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}})
	defer cluster.Close()
	wantEqual(t, "single", queueKey("default", single), "queues:default")
	wantEqual(t, "cluster", queueKey("default", cluster), "queues:{default}")
	wantEqual(t, "cluster, with a hash tag", queueKey("{high}", cluster), "queues:{high}")
}

// laravel is as much of Laravel as the documented class needs to be loaded.
const laravel = `<?php
namespace Illuminate\Contracts\Queue { interface ShouldQueue {} }
namespace Illuminate\Foundation\Queue { trait Queueable { public $connection; public $queue; public $delay; public $middleware = [];
	public function __unserialize(array $values) { foreach ($values as $name => $value) { $this->$name = $value; } } } }
namespace Illuminate\Support\Facades { class Log { public static function info($message, $context) { echo json_encode([$message, $context]); } } }
`

// TestPHP has PHP read a job as Laravel does, into the class of docs/laravel-events.md, and run it.
func TestPHP(t *testing.T) {
	php := services.Find(t, "php")
	class := documentedClass(t)
	script := filepath.Join(t.TempDir(), "job.php")
	code := laravel + "namespace App\\Jobs {\n" + class + "\n}\nnamespace {\n" +
		`error_reporting(E_ALL); set_error_handler(function ($no, $message) { fwrite(STDERR, $message); exit(1); });
		$text = stream_get_contents(STDIN); $job = unserialize($text); $job->handle();
		foreach (get_object_vars($job) as $name => $value) { if (!in_array($name, ['connection', 'queue', 'delay', 'middleware'])) { $own[$name] = $value; } }
		echo "\n", json_encode($own, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
		$plain = unserialize($text, ['allowed_classes' => false]);
		echo "\n", str_replace('O:22:"__PHP_Incomplete_Class":10:{s:27:"__PHP_Incomplete_Class_Name";s:20:"App\Jobs\ReverbEvent";', 'O:20:"App\Jobs\ReverbEvent":9:{', serialize($plain));` + "\n}\n"
	if err := os.WriteFile(script, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	inPresence := clientEvent("presence-é", "client-x", "\x00\"☃\n")
	inPresence.UserID = "7"
	for _, tc := range []struct {
		event channels.Event
		log   string
		want  string
	}{
		{occupied("a"), `["channel_occupied",{"channel":"a","user":null}]`,
			`{"appId":"1","name":"channel_occupied","channel":"a","timeMs":1327078148132,"userId":null,"event":null,"data":null,"socketId":null,"subscriptionCount":null}`},
		{added("presence-a", "7"), `["member_added",{"channel":"presence-a","user":"7"}]`,
			`{"appId":"1","name":"member_added","channel":"presence-a","timeMs":1327078148132,"userId":"7","event":null,"data":null,"socketId":null,"subscriptionCount":null}`},
		{inPresence, `["client_event",{"channel":"presence-\u00e9","user":"7"}]`,
			`{"appId":"1","name":"client_event","channel":"presence-é","timeMs":1327078148132,"userId":"7","event":"client-x","data":"\u0000\"☃\n","socketId":"12.34","subscriptionCount":null}`},
		{channels.Event{Name: channels.SubscriptionCount, Channel: "a", Count: 3}, `["subscription_count",{"channel":"a","user":null}]`,
			`{"appId":"1","name":"subscription_count","channel":"a","timeMs":1327078148132,"userId":null,"event":null,"data":null,"socketId":null,"subscriptionCount":3}`},
	} {
		t.Run(string(tc.event.Name), func(t *testing.T) {
			command := appendCommand(nil, jobClass, &record{app: newApp(t, "1", "s"), at: time.UnixMilli(1327078148132), event: tc.event})
			cmd := exec.CommandContext(t.Context(), php, script)
			cmd.Stdin = bytes.NewReader(command)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("php: %v\n%s%s", err, out, stderr.String())
			}
			lines := strings.SplitN(string(out), "\n", 3)
			wantEqual(t, "what handle() wrote", lines[0], tc.log)
			wantEqual(t, "properties", lines[1], tc.want)
			wantEqual(t, "serialized by PHP", lines[2], string(command))
		})
	}
}

// documentedClass returns the job class of the documentation, without namespace and imports, which PHP
// wants at the top of a file.
func documentedClass(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/laravel-events.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(doc), "```php\n<?php\n\nnamespace App\\Jobs;\n")
	code, _, isClosed := strings.Cut(rest, "```")
	if !ok || !isClosed {
		t.Fatal("the documentation has no class of the namespace App\\Jobs")
	}
	return code
}
