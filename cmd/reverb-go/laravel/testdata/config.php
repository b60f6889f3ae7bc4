<?php return array (
  // A cached configuration, cut down to one example of everything var_export writes.
  'app' => 
  array (
    'name' => 'Bob\'s "Shop" \\ $x',
    'debug' => false,
    'rate' => 0.5,
    'huge' => 1.0E+25,
    'min' => -9223372036854775807-1,
    'offset' => -3600,
    'nul' => 'a' . "\0" . 'b',
    'providers' => 
    array (
      0 => 'Illuminate\\Auth\\AuthServiceProvider',
      1 => 'Laravel\\Reverb\\ReverbServiceProvider',
    ),
    'enum' => \App\Enums\Level::Info,
    'object' => 
    \App\Support\Person::__set_state(array(
       'name' => 'Ann',
    )),
    'std' => (object) array(
       'x' => 1,
    ),
  ),
  'reverb' => 
  array (
    'default' => 'reverb',
    'servers' => array (
      'reverb' => array (
        'port' => '8080',
        'hostname' => NULL,
        'options' => array (
          'tls' => array (
          ),
        ),
      ),
    ),
    'apps' => array (
      'provider' => 'config',
      'apps' => array (
        0 => array (
          'key' => 'app-key',
          'allowed_origins' => array (
            0 => '*',
          ),
        ),
      ),
    ),
  ),
);
