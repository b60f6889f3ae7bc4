package http

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/realtime"
)

// failure is an answer other than a success, in Laravel's words where it has some.
type failure struct {
	status  int
	message string
	wait    time.Duration // for Retry-After
	cause   error         // for the log
}

func (f *failure) Error() string { return f.message }
func (f *failure) Unwrap() error { return f.cause }

// statusPageExpired is Laravel's for a token that does not fit.
const statusPageExpired = 419

const serverError = "Server Error"

var (
	errUnauthenticated = &failure{status: fasthttp.StatusUnauthorized, message: "Unauthenticated."}
	errTokenMismatch   = &failure{status: statusPageExpired, message: "CSRF token mismatch."}
	errNoRoute         = &failure{status: fasthttp.StatusNotFound, message: "Not found."}
	errMediaType       = &failure{status: fasthttp.StatusUnsupportedMediaType, message: "The body must be JSON, with Content-Type: application/json."}
	errNotJSON         = &failure{status: fasthttp.StatusBadRequest, message: "The body is not a JSON object."}
	errNoQueues        = &failure{status: fasthttp.StatusServiceUnavailable, message: "There are no queues, since QUEUE_CONNECTION is sync."}
)

func tooMany(wait time.Duration) error {
	return &failure{status: fasthttp.StatusTooManyRequests, message: "Too Many Attempts.", wait: max(wait, time.Second)}
}

// away is the answer while Redis cannot be reached, without which this request cannot be served.
func away(err error) error {
	if err == nil {
		return nil
	}
	return &failure{status: fasthttp.StatusServiceUnavailable, message: "Service Unavailable", wait: 5 * time.Second, cause: err}
}

// invalidFields are fields that cannot be accepted, in the order of their checks.
type invalidFields []domain.Invalid

func (f invalidFields) Error() string { return f[0].Message }

// add notes a sentence about a field, whose name stands where the sentence has %s, as people read it.
func (f *invalidFields) add(field, sentence string) {
	if strings.Contains(sentence, "%s") {
		sentence = fmt.Sprintf(sentence, strings.ReplaceAll(field, "_", " "))
	}
	*f = append(*f, domain.Invalid{Field: field, Message: sentence})
}

// orNil is the error, if there is one.
func (f invalidFields) orNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// invalid is the error of one field.
func invalid(field, sentence string) error {
	var f invalidFields
	f.add(field, sentence)
	return f
}

// body is what Laravel answers.
func (f invalidFields) body() api.Error {
	e := api.Error{Message: f[0].Message, Errors: map[string][]string{}}
	for _, i := range f {
		e.Errors[i.Field] = append(e.Errors[i.Field], i.Message)
	}
	switch more := len(f) - 1; more {
	case 0:
	case 1:
		e.Message += " (and 1 more error)"
	default:
		e.Message += fmt.Sprintf(" (and %d more errors)", more)
	}
	return e
}

// fail answers with an error. What is nobody's fault but ours is logged, and says nothing.
func (r *request) fail(err error) {
	var one *domain.Invalid
	var fields invalidFields
	var f *failure
	switch {
	case errors.As(err, &fields):
		writeJSON(r.http, fasthttp.StatusUnprocessableEntity, fields.body())
	case errors.As(err, &one):
		writeJSON(r.http, fasthttp.StatusUnprocessableEntity, invalidFields{*one}.body())
	case errors.As(err, &f):
		r.failWith(f)
	case errors.Is(err, domain.ErrNotFound):
		writeJSON(r.http, fasthttp.StatusNotFound, api.Error{Message: errNoRoute.message})
	case errors.Is(err, domain.ErrForbidden), errors.Is(err, realtime.ErrRefused):
		writeJSON(r.http, fasthttp.StatusForbidden, api.Error{Message: "This action is unauthorized."})
	default:
		r.server.Log.Error("a request could not be answered", "method", r.route.method, "route", r.route.path, "error", err)
		writeJSON(r.http, fasthttp.StatusInternalServerError, api.Error{Message: serverError})
	}
}

func (r *request) failWith(f *failure) {
	if f.cause != nil {
		r.server.Log.Warn("a part of the app is away", "route", r.route.path, "error", f.cause)
	}
	if f.wait > 0 {
		r.http.Response.Header.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.wait.Seconds()))))
	}
	writeJSON(r.http, f.status, api.Error{Message: f.message})
}

func (r *request) refuseMethod() error {
	r.http.Response.Header.Set("Allow", r.args["methods"])
	return &failure{status: fasthttp.StatusMethodNotAllowed, message: fmt.Sprintf("The %s method is not supported for this route. Supported methods: %s.", r.http.Method(), r.args["methods"])}
}
