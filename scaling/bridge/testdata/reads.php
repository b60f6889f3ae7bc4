<?php

// Reads messages, one a line, the way a node of Laravel Reverb does, and says of each whether it could. The classes
// have the properties of Laravel Reverb's, so wrong types are errors here as well.

namespace Laravel\Reverb {
    class Application
    {
        protected string $id;
        protected string $key;
        protected string $secret;
        protected int $pingInterval;
        protected int $activityTimeout;
        protected array $allowedOrigins;
        protected int $maxMessageSize;
        protected ?int $maxConnections;
        protected string $acceptClientEventsFrom;
        protected ?array $rateLimiting;
        protected array $options;
    }
}

namespace Laravel\Reverb\Protocols\Pusher {
    enum MetricType: string
    {
        case CONNECTIONS = 'connections';
        case CHANNEL = 'channel';
        case CHANNELS = 'channels';
        case CHANNEL_USERS = 'channel_users';
    }

    class PendingMetric
    {
        protected ?int $subscribers = null;
        protected array $data = [];
        protected string $key;
        protected \Laravel\Reverb\Application $application;
        protected MetricType $type;
        protected array $options = [];
    }
}

namespace {
    use Laravel\Reverb\Application;
    use Laravel\Reverb\Protocols\Pusher\MetricType;
    use Laravel\Reverb\Protocols\Pusher\PendingMetric;

    set_error_handler(fn ($level, $text) => throw new ErrorException($text));

    function same(string $serialized, array $classes): void
    {
        $value = unserialize($serialized, ['allowed_classes' => $classes]);
        if (! $value instanceof $classes[0]) {
            throw new Exception('not a '.$classes[0]);
        }
        if (serialize($value) !== $serialized) {
            throw new Exception('PHP would have written '.serialize($value));
        }
    }

    while (($line = fgets(STDIN)) !== false) {
        $line = rtrim($line, "\n");
        try {
            $event = json_decode($line, associative: true, flags: JSON_THROW_ON_ERROR);
            if (isset($event['application'])) {
                same($event['application'], [Application::class]);
            }
            if ($event['type'] === 'metrics') {
                same($event['payload'], [PendingMetric::class, Application::class, MetricType::class]);
            } elseif (! is_array($event['payload'])) {
                throw new Exception('the payload is no array');
            }
            $isAnswer = ! isset($event['application']) && $event['type'] !== 'metrics';
            if (! $isAnswer && json_encode($event) !== $line) {
                throw new Exception('PHP would have written '.json_encode($event));
            }
            echo "ok\n";
        } catch (Throwable $e) {
            echo str_replace("\n", ' ', $e->getMessage()), "\n";
        }
    }
}
